/**
 * Files that are of another kind than their names say, known by their first bytes: what is compressed, UTF-16, or a page
 * that a server sent in place of the file is neither damaged nor badly encoded text, and has a remedy of its own.
 */
import { UserError } from "../../errors.ts";

/** How a file holds its documents, by the end of its name. */
export type FileFormat = "txt" | "jsonl" | "jsonl.zst" | "parquet";

interface Kind {
  readonly name: string;
  /** code units of Latin-1, from the first byte on */
  readonly start: RegExp;
  readonly remedy: string;
  /** files that may begin so */
  readonly allowed?: readonly FileFormat[];
}

const RECOMPRESS = "decompress it, or compress it as .jsonl.zst or .parquet instead";

const UTF32 = /^(?:\xff\xfe\0\0|\0\0\xfe\xff)/;
const XZ = /^\xfd7zXZ\0/;
// deno-lint-ignore no-control-regex -- signatures are of such bytes
const ZIP = /^PK\x03\x04/;
// deno-lint-ignore no-control-regex -- signatures are of such bytes
const LZ4 = /^\x04"M\x18/;
// deno-lint-ignore no-control-regex -- signatures are of such bytes
const GZIP = /^\x1f\x8b/;

const KINDS: readonly Kind[] = [
  { name: "gzip", start: GZIP, remedy: RECOMPRESS },
  { name: "bzip2", start: /^BZh[1-9]1AY&SY/, remedy: RECOMPRESS },
  { name: "xz", start: XZ, remedy: RECOMPRESS },
  { name: "LZ4", start: LZ4, remedy: RECOMPRESS },
  { name: "ZIP", start: ZIP, remedy: "unpack it" },
  {
    name: "Zstandard",
    start: /^\(\xb5\/\xfd/,
    remedy: "name it .jsonl.zst if it holds JSON lines",
    allowed: ["jsonl.zst"],
  },
  { name: "Parquet", start: /^PAR1/, remedy: "name it .parquet", allowed: ["parquet", "txt"] },
  { name: "Arrow", start: /^ARROW1/, remedy: "write it as .parquet", allowed: ["txt"] },
  {
    name: "HTML",
    start: /^(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html)\b/i,
    remedy: "a server sent a page in place of the file: download it again, signed in if need be",
    allowed: ["txt"],
  },
  {
    name: "uncompressed JSON",
    start: /^(?:\xef\xbb\xbf)?\s*[{[]/,
    remedy: 'name it .jsonl if it holds JSON lines, or compress it by "zstd"',
    allowed: ["jsonl", "txt"],
  },
  {
    name: "one JSON array",
    start: /^(?:\xef\xbb\xbf)?\s*\[\s*(?:\{|$)/,
    remedy: `write each of its objects on a line of its own, by "jq -c '.[]'" for instance`,
    allowed: ["jsonl.zst", "parquet", "txt"],
  },
];

/** Enough for each of them. */
const START_BYTES = 256;

/** Pairs of bytes of which one is NUL and the other is not, at the same place in each, as UTF-16 has most of Europe's. */
function alternates(start: Uint8Array): boolean {
  if (start.length < 8) return false;
  const zero = start[0] === 0 ? 0 : 1;
  return start.subarray(0, start.length - start.length % 2).every((byte, i) => (byte === 0) === (i % 2 === zero));
}

/**
 * Refuses a file that begins as one of another kind.
 *
 * @param bytes its first, some hundred if it has so many
 * @throws {UserError} `OTHER_FORMAT`, `NOT_UTF8`
 */
export function refuseOtherKind(bytes: Uint8Array, format: FileFormat, path: string): void {
  const start = bytes.subarray(0, START_BYTES);
  const characters = String.fromCharCode(...start);
  if (format === "txt" || format === "jsonl") {
    if (UTF32.test(characters)) throw otherEncoding("UTF-32", path);
    if (/^(?:\xff\xfe|\xfe\xff)/.test(characters) || alternates(start)) throw otherEncoding("UTF-16", path);
  }
  const kind = KINDS.find(({ start, allowed = [] }) => start.test(characters) && !allowed.includes(format));
  if (kind === undefined) return;
  throw new UserError("OTHER_FORMAT", `"${path}" is ${kind.name}, not .${format} as its name says`, kind.remedy);
}

function otherEncoding(name: string, path: string): UserError {
  return new UserError(
    "NOT_UTF8",
    `"${path}" is ${name}, and UTF-8 is read`,
    `convert it to UTF-8, by "iconv -f ${name} -t UTF-8" for instance`,
  );
}

/** A stream whose first bytes are looked at: {@linkcode refuseOtherKind}. */
export async function* ofItsKind(
  chunks: AsyncIterable<Uint8Array>,
  format: FileFormat,
  path: string,
): AsyncGenerator<Uint8Array, void> {
  let isFirst = true;
  for await (const chunk of chunks) {
    if (isFirst && chunk.length > 0) {
      refuseOtherKind(chunk, format, path);
      isFirst = false;
    }
    yield chunk;
  }
}
