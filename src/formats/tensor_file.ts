/** A file of tensors on the disk, whatever its format. */
import { UserError } from "../errors.ts";
import { fileError } from "../files/file_error.ts";
import type { FileHandle, FileSystem } from "../files/file_system.ts";
import { printable } from "../files/safe_name.ts";
import { readAt } from "./read_at.ts";
import type { SafetensorsDtype } from "./safetensors/safetensors_header.ts";

/** An open file. Tensors may be read in any order, one at a time. Close it. */
export interface TensorFile {
  /** how messages name it */
  readonly path: string;
  /** what tensors there are, by name: element type, and lengths, outermost first */
  readonly slots: ReadonlyMap<string, { readonly dtype: SafetensorsDtype; readonly shape: readonly number[] }>;
  /**
   * A tensor's elements as f32, row-major, in pieces. A piece is good until the next one is asked for.
   *
   * @param name of a tensor that the file has, of a floating-point type
   * @throws {UserError} if the file has become shorter or is damaged
   */
  elements(name: string): AsyncIterable<Float32Array<ArrayBuffer>>;
  /** Frees what is open. */
  close(): void;
}

/** Read at a time; a multiple of every element's size. */
export const PIECE_BYTES = 1 << 20;

/**
 * Opens a regular file, and closes it again if what it begins with cannot be read.
 *
 * @param read is given the file and its size in bytes
 * @throws {UserError} `NOT_A_FILE` and others if it cannot be read; what `read` throws
 */
export async function openTensorFile<T>(
  path: string,
  files: FileSystem,
  read: (handle: FileHandle, bytes: number) => Promise<T>,
): Promise<T> {
  try {
    const handle = await files.open(path, "read");
    try {
      const { kind, bytes } = await handle.status();
      if (kind !== "file") {
        throw new UserError("NOT_A_FILE", `Cannot read "${path}", it is no regular file`, "give the path of a file");
      }
      return await read(handle, bytes);
    } catch (error) {
      handle.close();
      throw error;
    }
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

/**
 * Fills a piece from an offset in bytes.
 *
 * @param tensor whose it is, for messages
 * @param fail throws what the format's files throw where they are malformed
 */
export async function readPiece(
  { handle, path }: { readonly handle: FileHandle; readonly path: string },
  offset: number,
  into: Uint8Array,
  tensor: string,
  fail: (problem: string) => never,
): Promise<void> {
  let count: number;
  try {
    count = await readAt(handle, offset, into);
  } catch (error) {
    throw fileError(error, "read", path);
  }
  if (count < into.length) fail(`it was cut off while it was read, in tensor "${printable(tensor)}"`);
}
