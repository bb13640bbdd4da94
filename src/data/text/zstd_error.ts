/** Errors of Zstandard files: those that are damaged, and those that only want something that is not there. */
import { UserError } from "../../errors.ts";

/** Log2 of the largest window that is read, in bytes: what `zstd --long=31` writes, and the decoder's own limit. */
export const MAX_WINDOW_LOG = 31;
const MAX_WINDOW_BYTES = 2 ** MAX_WINDOW_LOG;

/** Frames of Zstandard before 0.8 begin so. */
const FIRST_VERSIONS: Readonly<Record<number, string>> = {
  0xfd2fb51e: "0.1",
  0xfd2fb522: "0.2",
  0xfd2fb523: "0.3",
  0xfd2fb524: "0.4",
  0xfd2fb525: "0.5",
  0xfd2fb526: "0.6",
  0xfd2fb527: "0.7",
};
const DICTIONARY_MAGIC = 0xec30a437;

/** An error of a file that is not what it was. */
export function damagedZstd(fileName: string, problem: string, options?: ErrorOptions): UserError {
  return new UserError("DAMAGED_FILE", `"${fileName}" ${problem}`, "restore the file from its source", options);
}

function unsupported(fileName: string, problem: string, remedy: string): UserError {
  return new UserError("UNSUPPORTED_ZSTD", `"${fileName}" ${problem}`, remedy);
}

/**
 * What to say of four bytes where a frame should begin.
 *
 * @param magic as a little-endian number
 */
export function noFrame(fileName: string, start: number, magic: number): UserError {
  const version = FIRST_VERSIONS[magic];
  if (version !== undefined) {
    return unsupported(
      fileName,
      `has a frame of Zstandard ${version} at byte ${start}, from before its format was settled`,
      "decompress it by a zstd that was built with support for old formats, and compress it again",
    );
  }
  if (magic === DICTIONARY_MAGIC) {
    return unsupported(fileName, "is a Zstandard dictionary, not compressed text", "leave it out");
  }
  return damagedZstd(fileName, `has no Zstandard frame at byte ${start}`);
}

/** Refuses what a frame's header asks for and the decoder does not do. */
export function requireSupported(
  fileName: string,
  start: number,
  { dictionary, windowBytes }: { readonly dictionary: number; readonly windowBytes: number },
): void {
  const frame = `has a Zstandard frame at byte ${start} that`;
  if (dictionary !== 0) {
    throw unsupported(
      fileName,
      `${frame} was compressed with dictionary ${dictionary}`,
      'write it again without one: "zstd -d -D DICTIONARY" and then "zstd"',
    );
  }
  if (windowBytes > MAX_WINDOW_BYTES) {
    throw unsupported(
      fileName,
      `${frame} needs a window of ${windowBytes} bytes, and at most ${MAX_WINDOW_BYTES} are kept`,
      "decompress it by the program that wrote it, and compress it again with a smaller window",
    );
  }
}
