/** Parquet files of a few rows, written byte by byte: forms that pyarrow does not write as well as those that it does. */

/** A value of a field: a whole number of 32 bits or of 64, a text, a list of structs or numbers, or a struct. */
type Value = number | bigint | string | readonly Value[] | Struct;
interface Struct {
  readonly [field: number]: Value | undefined;
}

const encoder = new TextEncoder();

function varint(value: number): number[] {
  return value < 128 ? [value] : [128 + (value % 128), ...varint(Math.floor(value / 128))];
}

const zigzag = (value: number) => varint(value < 0 ? -2 * value - 1 : 2 * value);

/** Type and bytes of a value in Thrift's compact protocol. */
function encoded(value: Value): [type: number, bytes: number[]] {
  if (typeof value === "number") return [5, zigzag(value)];
  if (typeof value === "bigint") return [6, zigzag(Number(value))];
  if (typeof value === "string") return [8, [...varint(encoder.encode(value).length), ...encoder.encode(value)]];
  if (Array.isArray(value)) {
    const items = value.map(encoded);
    return [9, [(items.length << 4) | (items[0]?.[0] ?? 5), ...items.flatMap(([, bytes]) => bytes)]];
  }
  return [12, thrift(value as Struct)];
}

/** A struct whose fields come in ascending order; an undefined one is absent. */
export function thrift(fields: Struct): number[] {
  let last = 0;
  const bytes = Object.entries(fields).flatMap(([name, value]: [string, Value | undefined]) => {
    if (value === undefined) return [];
    const [type, content] = encoded(value);
    const delta = Number(name) - last;
    last = Number(name);
    return [(delta << 4) | type, ...content];
  });
  return [...bytes, 0];
}

/** A column of byte strings, each of which may be null. */
export interface Column {
  /** elements of the schema from the top-level one on, with the numbers of parquet.thrift's `SchemaElement` */
  readonly schema: readonly Struct[];
  readonly path: readonly string[];
  /** of each row group */
  readonly values: readonly (readonly (string | null)[])[];
  /** of the values, as the pages state it: PLAIN if not given */
  readonly encoding?: number;
  /** of the nulls: RLE if not given */
  readonly levels?: number;
  /** UNCOMPRESSED if not given */
  readonly codec?: number;
  /** as a writer does that has a key */
  readonly encrypted?: "with the footer's key" | "with its own key";
}

/** A column `name` of optional strings. */
export function strings(name: string, values: Column["values"], more: Partial<Column> = {}): Column {
  return { schema: [{ 1: 6, 3: 1, 4: name, 6: 0 }], path: [name], values, ...more };
}

/** Nulls first: one byte a run, then the values that are there with their lengths. */
function page(values: readonly (string | null)[], { encoding = 0, levels = 3 }: Column): number[] {
  const runs = values.flatMap((value) => [2, value === null ? 0 : 1]);
  const plain = values.flatMap((value) => {
    if (value === null) return [];
    const bytes = [...encoder.encode(value)];
    return [bytes.length & 255, bytes.length >> 8, 0, 0, ...bytes];
  });
  const body = [runs.length & 255, runs.length >> 8, 0, 0, ...runs, ...plain];
  const header = { 1: 0, 2: body.length, 3: body.length, 5: { 1: values.length, 2: encoding, 3: levels, 4: 3 } };
  return [...thrift(header), ...body];
}

/** Choices about the whole file. */
export interface TinyParquetOptions {
  /** rows that each group states; those that it has if not given */
  readonly rows?: number;
  /** in which order the row groups lie in the file; that of the rows if not given */
  readonly placing?: readonly number[];
}

/**
 * The bytes of a file. A row group without rows has no pages and its columns at byte 0, as some writers leave it.
 *
 * @param columns each with values for the same row groups
 */
export function tinyParquet(columns: readonly Column[], { placing, rows }: TinyParquetOptions = {}): Uint8Array {
  const bytes = [...encoder.encode("PAR1")];
  const groups = columns[0]?.values.length ?? 0;
  const described: Struct[] = [];
  for (const group of placing ?? Array.from({ length: groups }, (_, i) => i)) {
    const chunks = columns.map((column): Struct => {
      const values = column.values[group] ?? [];
      const content = values.length === 0 ? [] : page(values, column);
      const start = values.length === 0 ? 0 : bytes.length;
      for (const byte of content) bytes.push(byte);
      const metadata = {
        1: 6,
        2: [column.encoding ?? 0, column.levels ?? 3],
        3: column.path,
        4: column.codec ?? 0,
        5: values.length,
        6: content.length,
        7: content.length,
        9: start,
      };
      if (column.encrypted === "with its own key") return { 2: 0, 8: { 2: { 1: column.path } }, 9: "secret" };
      return { 2: 0, 3: metadata, 8: column.encrypted && { 1: {} } };
    });
    described[group] = { 1: chunks, 2: 0, 3: BigInt(rows ?? columns[0]?.values[group]?.length ?? 0) };
  }
  const total = described.reduce((sum, group) => sum + Number(group[3]), 0);
  const schema = [{ 4: "schema", 5: columns.length }, ...columns.flatMap((column) => column.schema)];
  const footer = thrift({ 1: 2, 2: schema, 3: BigInt(total), 4: described });
  const length = [footer.length & 255, footer.length >> 8, 0, 0];
  return Uint8Array.from([...bytes, ...footer, ...length, ...encoder.encode("PAR1")]);
}
