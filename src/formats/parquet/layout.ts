/** Where a Parquet file holds its documents: the columns that count, in every row group, with what decodes them. */
import {
  type ColumnMetaData,
  type FileMetaData,
  parquetMetadata,
  type ParquetParsers,
  parquetSchema,
  type RowGroup,
  type SchemaElement,
  type SchemaTree,
} from "hyparquet";
import { UserError } from "../../errors.ts";
import { collectBounded } from "../../files/collect_bounded.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import { readChunks } from "../../files/read_file.ts";
import { PARQUET_CODECS } from "./codecs.ts";
import { documentColumns, type Leaf } from "./document_columns.ts";
import type { PageColumn } from "./page_contents.ts";
import { countThriftValues } from "./pages.ts";
import { damagedParquet, unsupportedParquet } from "./parquet_error.ts";

/** `PAR1`, at both ends. */
const MAGIC = "PAR1";
/** The footer's length and the magic after it. */
const TRAILER_BYTES = 8;
/** A description of a million row groups would be as long. */
const MAX_FOOTER_BYTES = 1 << 28;
/** Its structs and elements of lists: twenty columns of ten thousand row groups have two million. */
const MAX_FOOTER_VALUES = 1 << 23;
/** Compressed bytes of the columns that count in a row group, which are held while it is read. */
const MAX_GROUP_BYTES = 2 ** 31;

/** Strings as their bytes: whoever wants text decodes it strictly. */
export const RAW_STRINGS: Partial<ParquetParsers> = {
  stringFromBytes: (bytes) => bytes,
  jsonFromBytes: (bytes) => bytes,
};

/** A column's part of a row group. */
export interface ColumnChunk {
  /** `["text"]`, `["meta"]` or `["meta", …]` */
  readonly path: readonly string[];
  /** offset of its first byte in the file */
  readonly start: number;
  /** offset of the first byte after it */
  readonly end: number;
  /** bytes without compression, as the file states them */
  readonly textBytes: number;
  /** whether values may be null */
  readonly hasLevels: boolean;
  /** how often on its path a value may be missing, and its codec */
  readonly pages: PageColumn;
  /** of a file with this column and this row group alone */
  readonly metadata: FileMetaData;
}

/** A row group. */
export interface RowGroupLayout {
  /** documents, empty ones included */
  readonly rows: number;
  /** in the order of their bytes */
  readonly columns: readonly ColumnChunk[];
}

/** What a file's footer says. */
export interface ParquetLayout {
  /** in the order of their bytes, and of their documents */
  readonly groups: readonly RowGroupLayout[];
  /** whether `meta` is a column of something else than objects, which names no domains */
  readonly hasOtherMeta: boolean;
  /** whether any row has a text */
  readonly hasText: boolean;
  /** the file's last bytes, by which everything else was found */
  readonly footer: Uint8Array;
}

/**
 * Reads a file's footer, and finds `text` and what of `meta` names the domain.
 *
 * @param maxGroupBytes compressed bytes of these columns in a row group; 2^31 if not given
 * @throws {UserError} `DAMAGED_FILE`, `UNSUPPORTED_PARQUET`, `MISSING_TEXT`, `INVALID_META`, `ROW_GROUP_TOO_LARGE`
 */
export async function readParquetLayout(
  path: string,
  bytes: number,
  maxGroupBytes = MAX_GROUP_BYTES,
): Promise<ParquetLayout> {
  const footer = await readFooter(path, bytes);
  let metadata: FileMetaData, tree: SchemaTree;
  try {
    const values = countThriftValues(footer.subarray(0, -TRAILER_BYTES));
    if (values > MAX_FOOTER_VALUES) {
      throw new RangeError(`it has ${values} values, and at most ${MAX_FOOTER_VALUES} are read`);
    }
    metadata = parquetMetadata(footer, { parsers: RAW_STRINGS, geoparquet: false });
    tree = parquetSchema(metadata);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw damagedParquet(path, `has a footer that cannot be read (${reason})`, { cause });
  }
  const { leaves, hasOtherMeta, hasText } = documentColumns(tree, path);
  let total = 0;
  const groups = metadata.row_groups.map((group, ordinal): RowGroupLayout => {
    const where = `row group ${ordinal}`;
    const rows = Number(group.num_rows);
    total += rows;
    if (!(rows >= 0 && Number.isSafeInteger(total))) throw damagedParquet(path, `states ${rows} rows in ${where}`);
    // Writers place the columns of a group without rows anywhere, at byte 0 for instance.
    if (rows === 0) return { rows, columns: [] };
    const columns = leaves.map((leaf) => columnChunk(metadata, group, leaf, `"${path}" ${where}`));
    columns.sort((a, b) => a.start - b.start);
    const held = columns.reduce((sum, { start, end }) => sum + end - start, 0);
    if (held > maxGroupBytes) throw tooLarge(path, where, held, maxGroupBytes);
    return { rows, columns };
  });
  requireOrder(groups, bytes - footer.length, path);
  return { groups, footer, hasOtherMeta, hasText };
}

/** Refuses columns that do not follow on each other in the order of their documents: the file is read once. */
function requireOrder(groups: readonly RowGroupLayout[], dataEnd: number, path: string): void {
  let position = MAGIC.length;
  const taken: ColumnChunk[] = [];
  for (const [ordinal, { columns }] of groups.entries()) {
    for (const column of columns) {
      const { start, end } = column;
      const overlaps = start < position && taken.some((other) => start < other.end && end > other.start);
      if (!(start >= MAGIC.length && end >= start && end <= dataEnd) || overlaps) {
        throw damagedParquet(
          path,
          `places row group ${ordinal} at bytes ${start} to ${end}, expected within ${position} to ${dataEnd}`,
        );
      }
      if (start < position) {
        throw unsupportedParquet(
          `"${path}" has row group ${ordinal} before an earlier one, at byte ${start}`,
          "write the file again",
        );
      }
      position = end;
      taken.push(column);
    }
  }
}

function tooLarge(path: string, where: string, bytes: number, max: number): UserError {
  return new UserError(
    "ROW_GROUP_TOO_LARGE",
    `"${path}" ${where} has ${bytes} compressed bytes, and at most ${max} are held`,
    "write the file again with smaller row groups, of 10000 rows for instance",
  );
}

async function readFooter(path: string, bytes: number): Promise<Uint8Array> {
  const read = (offset: number, size: number) =>
    collectBounded(readChunks(path, DENO_FILES, { offset, size }), size, (found) => new RangeError(`${found} bytes`));
  const trailer = bytes < TRAILER_BYTES + MAGIC.length
    ? new Uint8Array(0)
    : await read(bytes - TRAILER_BYTES, TRAILER_BYTES);
  const magic = new TextDecoder().decode(trailer.subarray(-MAGIC.length));
  if (magic === "PARE") throw encrypted(`"${path}" is encrypted`);
  if (bytes === 0) throw damagedParquet(path, "is empty, of 0 bytes, which a Parquet file without rows is not");
  if (magic !== MAGIC) throw damagedParquet(path, `does not end with "${MAGIC}" as a Parquet file does`);
  const length = new DataView(trailer.buffer).getUint32(0, true);
  const room = Math.min(MAX_FOOTER_BYTES, bytes - MAGIC.length - TRAILER_BYTES);
  if (length > room) throw damagedParquet(path, `states a footer of ${length} bytes, expected at most ${room}`);
  return await read(bytes - TRAILER_BYTES - length, length + TRAILER_BYTES);
}

function encrypted(problem: string): UserError {
  return unsupportedParquet(problem, "write the file again without encryption");
}

function columnChunk(metadata: FileMetaData, group: RowGroup, leaf: Leaf, where: string): ColumnChunk {
  const path = leaf.at(-1)?.path ?? [];
  const name = path.join(".");
  const chunk = group.columns.find(({ meta_data }) => meta_data?.path_in_schema.join(".") === name);
  // A column that has a key of its own has no other description.
  if (group.columns.some(({ crypto_metadata: key, meta_data }) => key !== undefined && meta_data === undefined)) {
    throw encrypted(`${where} has encrypted columns`);
  }
  if (chunk?.crypto_metadata !== undefined) throw encrypted(`${where} has its column "${name}" encrypted`);
  const column = chunk?.meta_data;
  if (chunk === undefined || column === undefined || chunk.file_path) {
    throw unsupportedParquet(`${where} does not hold its column "${name}" itself`, "write it into one file");
  }
  if (column.codec !== "UNCOMPRESSED" && PARQUET_CODECS[column.codec] === undefined) {
    throw unsupportedParquet(`${where} has its column "${name}" compressed by ${column.codec ?? "an unknown codec"}`);
  }
  const [root] = metadata.schema;
  const schema: SchemaElement[] = [{ name: root?.name ?? "schema", num_children: 1 }];
  for (const { element } of leaf.slice(0, -1)) {
    schema.push({ name: element.name, repetition_type: element.repetition_type ?? "REQUIRED", num_children: 1 });
  }
  for (const { element } of leaf.slice(-1)) schema.push(element);
  return {
    path,
    ...byteRange(column),
    textBytes: Number(column.total_uncompressed_size),
    hasLevels: leaf.some(({ element }) => element.repetition_type !== "REQUIRED"),
    pages: {
      // As the decoder counts: where nothing is said of a group it is there, and a value may be missing.
      maxLevel:
        leaf.filter(({ element: { repetition_type: type } }, i) =>
          type === undefined ? i === leaf.length - 1 : type !== "REQUIRED"
        ).length,
      codec: column.codec === "UNCOMPRESSED" ? undefined : column.codec,
    },
    metadata: { ...metadata, schema, num_rows: group.num_rows, row_groups: [{ ...group, columns: [chunk] }] },
  };
}

/** The range that hyparquet asks for. */
function byteRange(column: ColumnMetaData): { readonly start: number; readonly end: number } {
  const start = Number(column.dictionary_page_offset || column.data_page_offset);
  return { start, end: start + Number(column.total_compressed_size) };
}
