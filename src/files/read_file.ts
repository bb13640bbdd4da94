/** Reading with bounds: nothing is allocated before its size is known to be allowed. */
import { UserError } from "../errors.ts";
import { collectBounded } from "./collect_bounded.ts";
import { DENO_FILES } from "./deno_file_system.ts";
import { fileError } from "./file_error.ts";
import type { FileSystem } from "./file_system.ts";

const CHUNK_BYTES = 1 << 18;

/** A piece of a file, in bytes. */
export interface FileRange {
  readonly offset: number;
  readonly size: number;
}

/**
 * The bytes of a file, in pieces of at most 256 KiB; each piece is the caller's to keep.
 *
 * @param range only these, as far as there are so many
 * @throws {UserError} if the file is missing, is no regular file, or cannot be read
 */
export async function* readChunks(
  path: string,
  files: FileSystem = DENO_FILES,
  range: FileRange = { offset: 0, size: Infinity },
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  try {
    const handle = await files.open(path, "read");
    try {
      const { kind } = await handle.status();
      if (kind !== "file") {
        throw new UserError(
          "NOT_A_FILE",
          `Cannot read "${path}", it is no regular file`,
          "give the path of a file",
        );
      }
      if (range.offset > 0) await handle.seek(range.offset);
      for (let left = range.size; left > 0;) {
        const buffer = new Uint8Array(Math.min(left, CHUNK_BYTES));
        const count = await handle.read(buffer);
        if (count === null) return;
        left -= count;
        if (count > 0) yield buffer.subarray(0, count);
      }
    } finally {
      handle.close();
    }
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

/**
 * A whole file, if it is not too large.
 *
 * @param maxBytes refuses larger files before it reads them, and files that grow beyond it while they are read
 * @throws {UserError} `FILE_TOO_LARGE`, and as {@linkcode readChunks}
 */
export async function readFileBounded(
  path: string,
  maxBytes: number,
  files: FileSystem = DENO_FILES,
): Promise<Uint8Array<ArrayBuffer>> {
  return await collectBounded(readChunks(path, files), maxBytes, (bytes) =>
    new UserError(
      "FILE_TOO_LARGE",
      `"${path}" has ${bytes} bytes or more, and at most ${maxBytes} are allowed`,
      "check that this is the file you meant",
    ));
}

/**
 * The first bytes of a file, fewer if it has no more.
 *
 * @throws {UserError} as {@linkcode readChunks}
 */
export async function readStart(
  path: string,
  size: number,
  files: FileSystem = DENO_FILES,
): Promise<Uint8Array<ArrayBuffer>> {
  return await collectBounded(
    readChunks(path, files, { offset: 0, size }),
    size,
    (bytes) => new RangeError(`${bytes}`),
  );
}
