/**
 * Documents of a Parquet file that is read once from front to end, so that its digest is of the bytes that were decoded.
 * Of a row group the compressed bytes of its text and domain columns are held, and of their contents some
 * {@linkcode SLICE_BYTES} at a time: all in all the largest row group as it lies on the disk, and a few slices.
 */
import { parquetReadObjects } from "hyparquet";
import { UserError } from "../../errors.ts";
import { ByteReader } from "../text/byte_reader.ts";
import { documentOf, type FileDocument } from "../text/document_record.ts";
import type { OnOddRow } from "../text/odd_rows.ts";
import { sourceChanged } from "../text/source_changed.ts";
import { decodeUtf8 } from "../../text/utf8.ts";
import { PARQUET_CODECS } from "../../formats/parquet/codecs.ts";
import {
  type ColumnChunk,
  type ParquetLayout,
  RAW_STRINGS,
  readParquetLayout,
  type RowGroupLayout,
} from "../../formats/parquet/layout.ts";
import { checkPages } from "../../formats/parquet/pages.ts";
import { damagedParquet, unsupportedParquet } from "../../formats/parquet/parquet_error.ts";
import { UnsupportedPage } from "../../formats/parquet/unsupported_page.ts";

/** Decompressed text that is asked for at a time; whole pages come. */
const SLICE_BYTES = 1 << 25;
/** Rows that are asked for at a time, which may be without text and so without bytes. */
const SLICE_ROWS = 1 << 20;
/** A document has to fit in memory several times over, and in one JavaScript string. */
const MAX_DOCUMENT_BYTES = 1 << 27;

/** Which file, as it was when its digest was taken. */
export interface ParquetFile {
  /** where it is */
  readonly path: string;
  /** its length */
  readonly bytes: number;
}

/** A column's chunk with its bytes. */
interface HeldColumn extends ColumnChunk {
  readonly buffer: ArrayBuffer;
}

/**
 * The file's documents in the order of its rows, without empty ones.
 *
 * @param raw all bytes of the file
 * @param sliceBytes decompressed bytes that are asked for at a time; they change nothing of the result
 * @param onOddRow told of rows without text, and of those whose `meta` is no object
 * @throws {UserError} as {@linkcode readParquetLayout} and {@linkcode documentOf} throw; `NOT_UTF8`, `DAMAGED_FILE`,
 * `DOCUMENT_TOO_LONG`, and `SOURCE_CHANGED` if `raw` is not the file whose footer was read
 */
export async function* parquetDocuments(
  raw: AsyncIterable<Uint8Array>,
  { path, bytes }: ParquetFile,
  sliceBytes = SLICE_BYTES,
  onOddRow: OnOddRow = () => {},
): AsyncGenerator<FileDocument, void> {
  const layout = await readParquetLayout(path, bytes);
  const reader = new ByteReader(raw);
  try {
    for (const [ordinal, group] of layout.groups.entries()) {
      if (!layout.hasText) {
        onOddRow("withoutText", group.rows);
        continue;
      }
      const columns: HeldColumn[] = [];
      const where = `row group ${ordinal}`;
      for (const column of group.columns) {
        const buffer = await hold(reader, column, path);
        let textBytes: number;
        try {
          // The footer's own word for it may be anything.
          textBytes = checkPages(new Uint8Array(buffer), group.rows, column.hasLevels, column.pages);
        } catch (cause) {
          throw unreadable(cause, column, path, where);
        }
        columns.push({ ...column, buffer, textBytes });
      }
      const ofGroup = groupRows(columns, group, sliceBytes, path, where);
      for await (const { record, place } of ofGroup) {
        const document = documentOf(record, place, onOddRow);
        if (document === undefined) continue;
        if (layout.hasOtherMeta) onOddRow("otherMeta");
        if (document.text !== "") yield document;
      }
    }
    await requireFooter(reader, layout, path, bytes);
  } finally {
    await reader.close();
  }
}

async function hold(reader: ByteReader, { start, end }: ColumnChunk, path: string): Promise<ArrayBuffer> {
  await reader.skip(start - reader.offset);
  const bytes = await reader.take(end - start);
  if (bytes.length < end - start) throw sourceChanged(path);
  return bytes.buffer;
}

/** Reads on to the end, and holds the footer against the one that was read before. */
async function requireFooter(
  reader: ByteReader,
  { footer }: ParquetLayout,
  path: string,
  bytes: number,
): Promise<void> {
  await reader.skip(bytes - footer.length - reader.offset);
  const found = await reader.take(footer.length + 1);
  if (found.length !== footer.length || found.some((byte, i) => byte !== footer[i])) throw sourceChanged(path);
}

/** A row as a line of JSON would have it, and how messages name it. */
interface Row {
  readonly record: unknown;
  readonly place: string;
}

async function* groupRows(
  columns: readonly HeldColumn[],
  { rows }: RowGroupLayout,
  sliceBytes: number,
  path: string,
  where: string,
): AsyncGenerator<Row, void> {
  const textBytes = columns.reduce((sum, column) => sum + column.textBytes, 0);
  const slices = Math.max(1, Math.ceil(textBytes / sliceBytes));
  const rowsPerSlice = Math.min(SLICE_ROWS, Math.max(1, Math.ceil(rows / slices)));
  for (let first = 0; first < rows; first += rowsPerSlice) {
    const end = Math.min(rows, first + rowsPerSlice);
    const values = await Promise.all(columns.map((column) => readValues(column, first, end, path, where)));
    for (let row = first; row < end; row++) {
      const place = `"${path}" row ${row} of ${where}`;
      const fields = columns.map((column, i) =>
        [column.path, decode(values[i]?.[row - first], column, place)] as const
      );
      yield { record: recordOf(fields), place };
    }
  }
}

/** A column's values of some rows: bytes, or null where there is none. */
async function readValues(
  column: HeldColumn,
  rowStart: number,
  rowEnd: number,
  path: string,
  where: string,
): Promise<(Uint8Array | null)[]> {
  const { path: names, metadata, buffer, start, end } = column;
  const slice = (from: number, to?: number) => {
    if (from === start && to === end) return buffer;
    throw new RangeError(`bytes ${from} to ${to} are of no column`);
  };
  try {
    const rows = await parquetReadObjects({
      file: { byteLength: end, slice },
      metadata,
      rowStart,
      rowEnd,
      compressors: PARQUET_CODECS,
      parsers: RAW_STRINGS,
      geoparquet: false,
    });
    return rows.map((row) => valueOf(row, names));
  } catch (cause) {
    throw unreadable(cause, column, path, where);
  }
}

function unreadable(cause: unknown, column: ColumnChunk, path: string, where: string): UserError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const name = column.path.join(".");
  if (cause instanceof UnsupportedPage) {
    return unsupportedParquet(
      `"${path}" ${where} has a column "${name}" in a form that is not read (${reason})`,
      "write the file again with the defaults of pyarrow, pandas or Spark",
      { cause },
    );
  }
  return damagedParquet(path, `${where} has a column "${name}" that cannot be read (${reason})`, { cause });
}

/** What lies at a path; null where it, or what it would be in, is null. */
function valueOf(row: unknown, names: readonly string[]): Uint8Array | null {
  let parent: unknown = row;
  for (const name of names.slice(0, -1)) parent = Object(parent)[name] ?? null;
  if (parent === null) return null;
  const value: unknown = Object(parent)[names.at(-1) ?? ""];
  if (value === null || value instanceof Uint8Array) return value;
  throw new RangeError("a page has fewer values than it states");
}

function decode(bytes: Uint8Array | null | undefined, { path }: ColumnChunk, place: string): string | null {
  if (bytes === null || bytes === undefined) return null;
  const name = path.join(".");
  if (bytes.length > MAX_DOCUMENT_BYTES) {
    throw new UserError(
      "DOCUMENT_TOO_LONG",
      `${place} has a "${name}" of ${bytes.length} bytes, and at most ${MAX_DOCUMENT_BYTES} are read`,
      "split it",
    );
  }
  const decoded = decodeUtf8(bytes);
  if (decoded.ok) return decoded.text;
  throw new UserError(
    "NOT_UTF8",
    `${place} has a "${name}" that is not UTF-8 at its byte ${decoded.offset}`,
    "convert it",
  );
}

/** The row as a line of JSON would have it. */
function recordOf(fields: readonly (readonly [path: readonly string[], value: string | null])[]): unknown {
  const record: Record<string, unknown> = {}, meta: Record<string, unknown> = {};
  for (const [[name = "", child], value] of fields) {
    if (child === undefined) record[name] = value;
    else record[name] = Object.assign(meta, { [child]: value });
  }
  return record;
}
