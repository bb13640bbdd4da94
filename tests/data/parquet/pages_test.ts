/** Page headers, written here in Thrift's compact protocol field by field. */
import assert from "node:assert/strict";
import { checkPages } from "../../../src/formats/parquet/pages.ts";

/** A value of a field: a whole number, a struct, or a type with its bytes. */
type Value = number | Struct | { readonly type: number; readonly bytes: readonly number[] };
interface Struct {
  readonly [field: number]: Value;
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [128 + (value % 128), ...varint(Math.floor(value / 128))];
}

const zigzag = (value: number) => varint(value < 0 ? -2 * value - 1 : 2 * value);

/** A struct whose fields come in ascending order, each by its distance from the one before. */
function struct(fields: Struct): number[] {
  let last = 0;
  const bytes = Object.entries(fields).flatMap(([name, value]: [string, Value]) => {
    const field = Number(name), delta = field - last;
    last = field;
    const head = (type: number) => delta < 16 ? [(delta << 4) | type] : [type, ...zigzag(field)];
    if (typeof value === "number") return [...head(5), ...zigzag(value)];
    if ("type" in value && "bytes" in value) return [...head(Number(value.type)), ...value.bytes as number[]];
    return [...head(12), ...struct(value as Struct)];
  });
  return [...bytes, 0];
}

const page = (header: Struct, body: number) => [...struct(header), ...new Array<number>(body).fill(7)];
const data = (values: number, size = 10) => page({ 1: 0, 2: size, 3: size, 5: { 1: values, 2: 0 } }, size);
const dataV2 = (values: number, nulls: number, rows: number, levels: number, size = 10) =>
  page({ 1: 3, 2: size, 3: size, 8: { 1: values, 2: nulls, 3: rows, 4: 0, 5: levels, 6: 0 } }, size);
const dictionary = (values: number, size = 10) => page({ 1: 2, 2: size, 3: size, 7: { 1: values, 2: 0 } }, size);

/** What a writer may add: statistics, a checksum, and fields of all other types. */
const RICH = page({
  1: 0,
  2: 300,
  3: 200,
  4: -123456789,
  5: {
    1: 5,
    2: 0,
    5: { 3: { type: 6, bytes: zigzag(1e12) }, 5: { type: 8, bytes: [2, 65, 66] }, 7: { type: 1, bytes: [] } },
  },
  20: { type: 9, bytes: [0x25, 1, 2] },
  21: { type: 9, bytes: [0xf8, 16, ...new Array<number>(16).fill(0)] },
  22: { type: 7, bytes: [1, 2, 3, 4, 5, 6, 7, 8] },
  23: { type: 3, bytes: [9] },
  24: { type: 9, bytes: [0x21, 1, 2] },
}, 200);

for (
  const { what, bytes, values } of [
    { what: "no pages", bytes: [], values: 0 },
    { what: "a page", bytes: data(5), values: 5 },
    {
      what: "a dictionary and pages of both versions",
      bytes: [...dictionary(2), ...data(3), ...dataV2(4, 1, 4, 2)],
      values: 7,
    },
    { what: "a page without bytes", bytes: data(0, 0), values: 0 },
    { what: "a page of as many nulls as are read", bytes: data(1 << 24), values: 1 << 24 },
    { what: "headers with more in them", bytes: [...RICH, ...RICH], values: 10 },
  ]
) {
  Deno.test(`checkPages() accepts ${what}`, () => void checkPages(Uint8Array.from(bytes), values));
}

const deep = (depth: number): Struct => depth === 0 ? {} : { 1: deep(depth - 1) };

for (
  const { what, bytes, values, message } of [
    { what: "fewer values than rows", bytes: data(5), values: 6, message: /have 5 values, expected 6/ },
    {
      what: "more values than rows",
      bytes: [...data(5), ...data(5)],
      values: 6,
      message: /states 5 values, expected at most 1/,
    },
    {
      what: "a page beyond the chunk",
      bytes: data(5).slice(0, -1),
      values: 5,
      message: /states 10 compressed bytes, expected at most 9/,
    },
    { what: "a header that ends early", bytes: data(5).slice(0, 4), values: 5, message: /ends early/ },
    {
      what: "a string that ends early",
      bytes: [...struct({ 1: { type: 8, bytes: [100, 65] } })],
      values: 5,
      message: /ends early/,
    },
    {
      what: "a negative size",
      bytes: page({ 1: 0, 2: 10, 3: -1, 5: { 1: 5 } }, 10),
      values: 5,
      message: /states -1 compressed bytes/,
    },
    {
      what: "a size of another type",
      bytes: page({ 1: 0, 2: 10, 3: { type: 6, bytes: [20] }, 5: { 1: 5 } }, 10),
      values: 5,
      message: /no compressed bytes/,
    },
    {
      what: "a page without its header",
      bytes: page({ 1: 0, 2: 10, 3: 10 }, 10),
      values: 5,
      message: /states no values/,
    },
    { what: "a page of an index", bytes: page({ 1: 1, 2: 10, 3: 10 }, 10), values: 5, message: /unknown type 1/ },
    { what: "a page of no type", bytes: page({ 2: 10, 3: 10 }, 10), values: 5, message: /states no type/ },
    {
      what: "a dictionary of more values than fit",
      bytes: [...dictionary(3), ...data(5)],
      values: 5,
      message: /states 3 values, expected at most 2/,
    },
    { what: "more nulls than values", bytes: dataV2(5, 6, 5, 2), values: 5, message: /states 6 nulls/ },
    { what: "more rows than values", bytes: dataV2(5, 0, 6, 2), values: 5, message: /states 6 rows/ },
    {
      what: "levels longer than their page",
      bytes: dataV2(5, 0, 5, 11),
      values: 5,
      message: /states 11 bytes of levels/,
    },
    { what: "structs in structs without an end", bytes: struct(deep(20)), values: 5, message: /too deep/ },
    {
      what: "a field of an unknown type",
      bytes: struct({ 1: { type: 13, bytes: [] } }),
      values: 5,
      message: /unknown type 13/,
    },
    {
      what: "a number without an end",
      bytes: [0x15, ...new Array<number>(20).fill(255)],
      values: 5,
      message: /more than 64 bits/,
    },
  ]
) {
  Deno.test(`checkPages() refuses ${what}`, () => {
    assert.throws(() => checkPages(Uint8Array.from(bytes), values), { name: "RangeError", message });
  });
}

Deno.test("checkPages() refuses a page of more values than are held, whatever bytes it takes", () => {
  for (const bytes of [data(2 ** 31 - 1), dataV2(2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1, 2)]) {
    assert.throws(() => checkPages(Uint8Array.from(bytes), 2 ** 31 - 1), {
      name: "UnsupportedPage",
      message: /^a page states 2147483647 values, and at most 16777216 are read$/,
    });
  }
});
