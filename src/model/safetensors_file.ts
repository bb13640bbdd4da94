/** A safetensors file on the disk, read by ranges: what is held is the header and a piece of one tensor. */
import { UserError } from "../errors.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import { fileError } from "../files/file_error.ts";
import type { FileHandle, FileSystem } from "../files/file_system.ts";
import { printable } from "../files/safe_name.ts";
import { readAt } from "./read_at.ts";
import { writeFloat32 } from "./safetensors.ts";
import {
  badSafetensors,
  dtypeBytes,
  LENGTH_BYTES,
  parseSafetensorsHeader,
  readHeaderLength,
  type SafetensorsHeader,
} from "./safetensors_header.ts";
import type { TensorFile } from "./tensor_file.ts";

/** Read at a time; a multiple of every element's size. */
const PIECE_BYTES = 1 << 20;

/** An open file. Tensors may be read in any order, one at a time. Close it. */
export class SafetensorsFile implements TensorFile {
  readonly slots: SafetensorsHeader["slots"];
  readonly metadata: SafetensorsHeader["metadata"];

  private constructor(
    /** how messages name it */
    readonly path: string,
    private readonly handle: FileHandle,
    header: SafetensorsHeader,
    private readonly dataStart: number,
  ) {
    this.slots = header.slots;
    this.metadata = header.metadata;
  }

  /**
   * Opens a file and reads its header, as strictly as `parseSafetensors` does.
   *
   * @throws {UserError} `BAD_SAFETENSORS`; `NOT_A_FILE` and others if it cannot be read
   */
  static async open(path: string, files: FileSystem = DENO_FILES): Promise<SafetensorsFile> {
    try {
      const handle = await files.open(path, "read");
      try {
        const { kind, bytes } = await handle.status();
        if (kind !== "file") {
          throw new UserError("NOT_A_FILE", `Cannot read "${path}", it is no regular file`, "give the path of a file");
        }
        const start = new Uint8Array(LENGTH_BYTES);
        const length = readHeaderLength(start.subarray(0, await readAt(handle, 0, start)), bytes, path);
        const header = new Uint8Array(length);
        if (await readAt(handle, LENGTH_BYTES, header) < length) throw badSafetensors(path, "its header is cut short");
        const dataStart = LENGTH_BYTES + length;
        return new SafetensorsFile(path, handle, parseSafetensorsHeader(header, bytes - dataStart, path), dataStart);
      } catch (error) {
        handle.close();
        throw error;
      }
    } catch (error) {
      throw fileError(error, "read", path);
    }
  }

  /**
   * A tensor's elements as f32, in pieces of at most 2^19 elements. A piece is good until the next one is asked for: they
   * share their memory, so that the garbage of a large file does not become larger than the file.
   *
   * @param name of a tensor that the file has, of a floating-point type
   * @throws {UserError} `BAD_SAFETENSORS` if the file has become shorter, or the tensor holds no weights
   */
  async *elements(name: string): AsyncGenerator<Float32Array<ArrayBuffer>, void> {
    const slot = this.slots.get(name);
    if (slot === undefined) throw new RangeError(`"${this.path}" has no tensor "${name}"`);
    const { dtype, begin, end } = slot;
    const buffer = new Uint8Array(Math.min(PIECE_BYTES, end - begin));
    const elements = new Float32Array(buffer.length / dtypeBytes(dtype));
    for (let at = begin; at < end; at += buffer.length) {
      const data = buffer.subarray(0, Math.min(buffer.length, end - at));
      await this.#fill(data, at, name);
      const piece = elements.subarray(0, data.length / dtypeBytes(dtype));
      writeFloat32(dtype, data, piece);
      yield piece;
    }
  }

  async #fill(data: Uint8Array, at: number, name: string): Promise<void> {
    let count: number;
    try {
      count = await readAt(this.handle, this.dataStart + at, data);
    } catch (error) {
      throw fileError(error, "read", this.path);
    }
    if (count < data.length) {
      throw badSafetensors(this.path, `it was cut off while it was read, in tensor "${printable(name)}"`);
    }
  }

  close(): void {
    this.handle.close();
  }
}
