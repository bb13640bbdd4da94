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
import { DOMAIN_FIELDS } from "../text/document_record.ts";
import { PARQUET_CODECS } from "./codecs.ts";

/** `PAR1`, at both ends. */
const MAGIC = "PAR1";
/** The footer's length and the magic after it. */
const TRAILER_BYTES = 8;
/** A description of a million row groups would be as long. */
const MAX_FOOTER_BYTES = 1 << 28;
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
    metadata = parquetMetadata(footer, { parsers: RAW_STRINGS, geoparquet: false });
    tree = parquetSchema(metadata);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw damagedParquet(path, `has a footer that cannot be read (${reason})`, { cause });
  }
  const leaves = documentLeaves(tree, path);
  const dataEnd = bytes - footer.length;
  let position = MAGIC.length;
  const groups = metadata.row_groups.map((group, ordinal) => {
    const where = `row group ${ordinal}`;
    const columns = leaves.map((leaf) => columnChunk(metadata, group, leaf, `"${path}" ${where}`));
    columns.sort((a, b) => a.start - b.start);
    for (const { start, end } of columns) {
      if (!(start >= position && end >= start && end <= dataEnd)) {
        throw damagedParquet(
          path,
          `places ${where} at bytes ${start} to ${end}, expected within ${position} to ${dataEnd}`,
        );
      }
      position = end;
    }
    const held = columns.reduce((sum, { start, end }) => sum + end - start, 0);
    if (held > maxGroupBytes) throw tooLarge(path, where, held, maxGroupBytes);
    return { rows: Number(group.num_rows), columns };
  });
  return { groups, footer };
}

/** An error of a file that cannot be read as Parquet. */
export function damagedParquet(path: string, problem: string, options?: ErrorOptions): UserError {
  return new UserError("DAMAGED_FILE", `"${path}" ${problem}`, "restore the file from its source", options);
}

function unsupported(problem: string): UserError {
  const codecs = Object.keys(PARQUET_CODECS).join(", ").toLowerCase();
  return new UserError("UNSUPPORTED_PARQUET", problem, `write the file again, without compression or with ${codecs}`);
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
  if (magic === "PARE") throw unsupported(`"${path}" is encrypted`);
  if (magic !== MAGIC) throw damagedParquet(path, `does not end with "${MAGIC}" as a Parquet file does`);
  const length = new DataView(trailer.buffer).getUint32(0, true);
  const room = Math.min(MAX_FOOTER_BYTES, bytes - MAGIC.length - TRAILER_BYTES);
  if (length > room) throw damagedParquet(path, `states a footer of ${length} bytes, expected at most ${room}`);
  return await read(bytes - TRAILER_BYTES - length, length + TRAILER_BYTES);
}

/** A column of the schema, from the top-level one to itself. */
type Leaf = readonly SchemaTree[];

function documentLeaves(tree: SchemaTree, path: string): Leaf[] {
  const text = tree.children.find(({ element }) => element.name === "text");
  if (text === undefined || !isText(text)) {
    const names = tree.children.map(({ element }) => `"${element.name}"`).join(", ");
    throw new UserError(
      "MISSING_TEXT",
      text === undefined
        ? `"${path}" has no column "text" among its columns ${names}`
        : `"${path}" has a column "text" that holds no text`,
      'write each document as a row with its text in a column "text"',
    );
  }
  const meta = tree.children.find(({ element }) => element.name === "meta");
  return [[text], ...(meta === undefined ? [] : metaLeaves(meta, path))];
}

function metaLeaves(meta: SchemaTree, path: string): Leaf[] {
  if (isText(meta)) return [[meta]];
  const { converted_type: converted, logical_type: logical } = meta.element;
  // A column of nulls has any physical type.
  if (logical?.type === "NULL") return [];
  const isStruct = meta.children.length > 0 && converted === undefined && logical === undefined && !isRepeated(meta);
  if (!isStruct) throw invalidMeta("meta", "a struct, or text with a JSON object", path);
  const named = meta.children.filter(({ element }) => DOMAIN_FIELDS.some((field) => field === element.name));
  return named.filter(({ element }) => element.logical_type?.type !== "NULL").map((child) => {
    if (!isText(child)) throw invalidMeta(`meta.${child.element.name}`, "text", path);
    return [meta, child];
  });
}

function invalidMeta(column: string, expected: string, path: string): UserError {
  return new UserError(
    "INVALID_META",
    `"${path}" has a column "${column}" of the wrong type`,
    `write ${expected} there, or leave it out`,
  );
}

function isRepeated({ element }: SchemaTree): boolean {
  return element.repetition_type === "REPEATED";
}

/** Whether a column holds byte strings that can be text. */
function isText(node: SchemaTree): boolean {
  const { type, converted_type: converted, logical_type: logical } = node.element;
  return node.children.length === 0 && type === "BYTE_ARRAY" && !isRepeated(node) &&
    ["UTF8", "ENUM", "JSON", undefined].includes(converted) &&
    ["STRING", "ENUM", "JSON", undefined].includes(logical?.type);
}

function columnChunk(metadata: FileMetaData, group: RowGroup, leaf: Leaf, where: string): ColumnChunk {
  const path = leaf.at(-1)?.path ?? [];
  const name = path.join(".");
  const chunk = group.columns.find(({ meta_data }) => meta_data?.path_in_schema.join(".") === name);
  const column = chunk?.meta_data;
  if (chunk === undefined || column === undefined || chunk.file_path) {
    throw unsupported(`${where} does not hold its column "${name}" itself`);
  }
  if (column.codec !== "UNCOMPRESSED" && PARQUET_CODECS[column.codec] === undefined) {
    throw unsupported(`${where} has its column "${name}" compressed by ${column.codec ?? "an unknown codec"}`);
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
    metadata: { ...metadata, schema, num_rows: group.num_rows, row_groups: [{ ...group, columns: [chunk] }] },
  };
}

/** The range that hyparquet asks for. */
function byteRange(column: ColumnMetaData): { readonly start: number; readonly end: number } {
  const start = Number(column.dictionary_page_offset || column.data_page_offset);
  return { start, end: start + Number(column.total_compressed_size) };
}
