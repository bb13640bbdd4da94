/** The user's files as documents: running text, JSON lines, JSON lines under Zstandard, and Parquet. */
import { UserError } from "../../errors.ts";
import { createFileHash, digestFile } from "../../files/file_digest.ts";
import { readChunks } from "../../files/read_file.ts";
import { exceedsValues } from "../../digest/json_values.ts";
import { UNNAMED_DOMAIN } from "../domain.ts";
import { parquetDocuments } from "../parquet/documents.ts";
import { nameOf } from "../../files/durable.ts";
import { type DigestedFile, VALIDATION_MARK } from "../source_files.ts";
import { DocumentCutter, LONGEST_PIECE } from "./document_cutter.ts";
import { documentOf, type FileDocument } from "./document_record.ts";
import { type FileFormat, ofItsKind, refuseOtherKind } from "./file_kind.ts";
import { type Line, readLines } from "./lines.ts";
import type { OnOddRow } from "./odd_rows.ts";
import { TextBudget } from "./text_budget.ts";
import { sourceChanged } from "./source_changed.ts";
import { decodeUtf8 } from "../../text/utf8.ts";
import { decompressZstd } from "./zstd_stream.ts";

/** A document has to fit in memory several times over, and in one JavaScript string. */
const MAX_LINE_BYTES = 1 << 27;
/** Values of a line, which take a hundred bytes and more each once they are read. */
const MAX_LINE_VALUES = 1 << 21;

const FORMATS: readonly FileFormat[] = ["txt", "jsonl", "jsonl.zst", "parquet"];

/** Endings of compressed files that are not read. */
const COMPRESSED = /\.(?:gz|gzip|bz2|xz|lzma|lz4|br|zip|7z|zst|zstd)$/;

/** A source file, with the digest of its bytes as they lie on the disk. */
export interface SourceFile extends DigestedFile {
  readonly format: FileFormat;
  readonly isValidation: boolean;
}

/** @throws {UserError} `UNKNOWN_FORMAT` */
export function formatOf(path: string): FileFormat {
  const format = FORMATS.findLast((known) => path.toLowerCase().endsWith(`.${known}`));
  if (format !== undefined) return format;
  const endings = FORMATS.map((known) => `.${known}`).join(", ");
  throw new UserError(
    "UNKNOWN_FORMAT",
    `"${path}" has an ending that is not known`,
    COMPRESSED.test(path.toLowerCase())
      ? `decompress it, or compress it in a form that is read (${endings})`
      : `give files that end in ${endings}`,
  );
}

/**
 * Reads a file once for its digest.
 *
 * @param onBytes called with the number of bytes of each piece read
 * @throws {UserError} if the file is missing, cannot be read, has an unknown ending, or begins as a file of another kind
 */
export async function inspectFile(
  path: string,
  onBytes: (bytes: number) => void,
): Promise<SourceFile> {
  const format = formatOf(path);
  let bytes = 0;
  const sha256 = await digestFile(path, {
    onBytes: (piece) => {
      if (bytes === 0) refuseOtherKind(piece, format, path);
      bytes += piece.length;
      onBytes(piece.length);
    },
  });
  const name = nameOf(path);
  return {
    path,
    name,
    format,
    isValidation: name.includes(VALIDATION_MARK),
    bytes,
    sha256,
  };
}

/**
 * The file's documents in their order, without empty ones. Memory is bounded by the longest document, in Parquet by the
 * largest row group, and under Zstandard by the largest window.
 *
 * @param onBytes called with the number of bytes of each piece read
 * @param onOddRow told of rows without text, and of those whose `meta` is no object
 * @throws {UserError} `NOT_UTF8`, `MALFORMED_JSON`, `TOO_MANY_VALUES`, `EXPANDS_TOO_FAR`, `DAMAGED_FILE`, as {@linkcode documentOf} and
 * {@linkcode parquetDocuments} throw, or `SOURCE_CHANGED` at the end if the bytes were others than at the time of
 * {@linkcode inspectFile}
 */
export async function* readDocuments(
  file: SourceFile,
  onBytes: (bytes: number) => void,
  onOddRow: OnOddRow = () => {},
): AsyncGenerator<FileDocument, void> {
  const hash = createFileHash();
  const watched = async function* (): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of readChunks(file.path)) {
      hash.update(chunk);
      onBytes(chunk.length);
      yield chunk;
    }
  };
  const budget = new TextBudget(file.path, file.bytes);
  for await (const document of DOCUMENTS[file.format](watched(), file, onOddRow)) {
    budget.spend(document.text.length);
    yield document;
  }
  if (hash.finish() !== file.sha256) throw sourceChanged(file.path);
}

/** Whether a file is without documents, for which it is read up to the first. */
export async function hasNoDocument(file: SourceFile): Promise<boolean> {
  for await (const _ of readDocuments(file, () => {})) return false;
  return true;
}

/** The documents in a file's bytes. */
type Documents = (
  raw: AsyncIterable<Uint8Array>,
  file: SourceFile,
  onOddRow: OnOddRow,
) => AsyncGenerator<FileDocument, void>;

const DOCUMENTS: Readonly<Record<FileFormat, Documents>> = {
  txt: (raw, { path }) => textDocuments(raw, path),
  jsonl: jsonDocuments,
  "jsonl.zst": (raw, file, onOddRow) =>
    jsonDocuments(ofItsKind(within(decompressZstd(raw, file.path), file), "jsonl", file.path), file, onOddRow),
  parquet: (raw, file, onOddRow) => parquetDocuments(raw, file, undefined, onOddRow),
};

/** What is decompressed, as far as the file may give so much, whether documents come of it or blank lines. */
async function* within(chunks: AsyncIterable<Uint8Array>, { path, bytes }: SourceFile): AsyncGenerator<Uint8Array> {
  const budget = new TextBudget(path, bytes);
  for await (const chunk of chunks) {
    budget.spend(chunk.length);
    yield chunk;
  }
}

/** The line without a byte order mark at the start of the file, and where its bytes now begin. */
function withoutByteOrderMark(
  { bytes, offset }: Line,
): { bytes: Uint8Array; offset: number } {
  const marked = offset === 0 && bytes[0] === 0xef && bytes[1] === 0xbb &&
    bytes[2] === 0xbf;
  return marked ? { bytes: bytes.subarray(3), offset: 3 } : { bytes, offset };
}

function decode(
  bytes: Uint8Array,
  offset: number,
  path: string,
  line?: number,
): string {
  const decoded = decodeUtf8(bytes);
  if (decoded.ok) return decoded.text;
  const where = path.endsWith(".zst") ? " of its decompressed text" : "";
  const inLine = line === undefined ? "" : ` (line ${line})`;
  throw new UserError(
    "NOT_UTF8",
    `"${path}" is not UTF-8 at byte ${offset + decoded.offset}${where}${inLine}`,
    "convert it to UTF-8",
  );
}

async function* textDocuments(
  raw: AsyncIterable<Uint8Array>,
  path: string,
): AsyncGenerator<FileDocument, void> {
  const cutter = new DocumentCutter();
  let start = 0;
  const finished = (document: Uint8Array | null): FileDocument[] => {
    if (document === null) return [];
    const text = decode(document, start, path);
    start += document.length;
    return [{ domain: UNNAMED_DOMAIN, text }];
  };
  for await (const line of readLines(raw, LONGEST_PIECE)) {
    const { bytes, offset } = withoutByteOrderMark(line);
    if (line.offset === 0) start = offset;
    yield* finished(cutter.push(bytes));
  }
  yield* finished(cutter.finish());
}

async function* jsonDocuments(
  raw: AsyncIterable<Uint8Array>,
  file: SourceFile,
  onOddRow: OnOddRow,
): AsyncGenerator<FileDocument, void> {
  for await (const line of readLines(raw, MAX_LINE_BYTES + 1)) {
    if (line.bytes.length > MAX_LINE_BYTES - 3) {
      throw new UserError(
        "LINE_TOO_LONG",
        `"${file.path}" line ${line.number} has more than ${MAX_LINE_BYTES - 3} bytes`,
        "split its document, and write one JSON object on each line",
      );
    }
    const { bytes, offset } = withoutByteOrderMark(line);
    const json = decode(bytes, offset, file.path, line.number);
    if (json.trim() === "") continue;
    const where = `"${file.path}" line ${line.number}`;
    const document = documentOf(parseJson(json, where), where, onOddRow);
    if (document !== undefined && document.text !== "") yield document;
  }
}

function parseJson(json: string, where: string): unknown {
  if (exceedsValues(json, MAX_LINE_VALUES)) {
    throw new UserError(
      "TOO_MANY_VALUES",
      `${where} has more than ${MAX_LINE_VALUES} JSON values`,
      'leave out what is not "text" or "meta"',
    );
  }
  try {
    return JSON.parse(json);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UserError("MALFORMED_JSON", `${where} is not JSON (${reason})`, "write one JSON object on each line", {
      cause,
    });
  }
}
