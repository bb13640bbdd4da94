import assert from "node:assert/strict";
import { checkPageContents, type PageHeader } from "../../../src/formats/parquet/page_contents.ts";
import { countThriftValues } from "../../../src/formats/parquet/pages.ts";

const OPTIONAL = { maxLevel: 1, codec: undefined };
const REQUIRED = { maxLevel: 0, codec: undefined };

function header(values: number, encoding: number, more: Partial<PageHeader> = {}): PageHeader {
  return { form: "v1", values, nulls: 0, encoding, size: 0, levelBytes: 0, isCompressed: false, ...more };
}

/** Seven bits a byte, the lowest first. */
function varint(value: number): number[] {
  return value < 128 ? [value] : [128 + value % 128, ...varint(Math.floor(value / 128))];
}
const levels = (...runs: number[]) => [runs.length, 0, 0, 0, ...runs];

const SOUND: readonly (readonly [string, readonly number[], PageHeader, typeof OPTIONAL | typeof REQUIRED])[] = [
  ["a run of levels, then texts", [...levels(2 * 5, 1), 0, 0, 0, 0], header(5, 0), OPTIONAL],
  ["a packed group that is filled up", [...levels(3, 0b111)], header(3, 0), OPTIONAL],
  ["indices of a dictionary", [2, ...varint(2 * 100), 3], header(100, 8), REQUIRED],
  ["one entry in a dictionary", [0], header(1 << 20, 8), REQUIRED],
  ["levels apart", [2 * 4, 1, 1, 2 * 4, 0], header(4, 8, { form: "v2", levelBytes: 2 }), OPTIONAL],
  ["runs of the values that are there", [1, 2 * 2, 0], header(9, 8, { form: "v2", nulls: 7 }), REQUIRED],
];

for (const [what, bytes, page, column] of SOUND) {
  Deno.test(`checkPageContents() accepts ${what}`, () => checkPageContents(Uint8Array.from(bytes), page, column));
}

const BOMBS: readonly (readonly [string, readonly number[], PageHeader, typeof OPTIONAL | typeof REQUIRED, RegExp])[] =
  [
    ["levels", levels(...varint(2 ** 31), 1), header(5, 0), OPTIONAL, /run of 1073741824 values after 0 of 5/],
    ["indices", [1, ...varint(2 ** 32 - 2), 0], header(5, 2), REQUIRED, /run of 2147483647 values/],
    ["packed indices", [1, ...varint(2 * 2 ** 27 + 1), 0], header(5, 8), REQUIRED, /run of 1073741824 values/],
    ["a negative count", [1, ...varint(2 ** 32 - 1), 0], header(5, 8), REQUIRED, /run of -8 values/],
    ["a second run", [1, 2 * 4, 0, ...varint(2000), 0], header(5, 8), REQUIRED, /run of 1000 values after 4 of 5/],
  ];

for (const [what, bytes, page, column, message] of BOMBS) {
  Deno.test(`checkPageContents() refuses a run without end: ${what}`, () => {
    assert.throws(() => checkPageContents(Uint8Array.from(bytes), page, column), { name: "RangeError", message });
  });
}

Deno.test("checkPageContents() refuses texts that share more than memory holds", () => {
  // 2^20 values of one block of no bits: each shares as much as the one before, 4096 bytes.
  const values = 1 << 20;
  const block = [...varint(2 * 4096), 0, ...Array(values / 128).fill([0, 0, 0, 0, 0]).flat()];
  const bytes = Uint8Array.from([...varint(128), 4, ...varint(values), ...block.slice(0, 2), ...block.slice(3)]);
  assert.throws(() => checkPageContents(bytes, header(values, 7), REQUIRED), {
    name: "UnsupportedPage",
    message: /shares/,
  });
});

Deno.test("countThriftValues() counts structs and elements before they are made", () => {
  // Field 1: a list of 1000 empty structs.
  assert.equal(countThriftValues(Uint8Array.from([0x19, 0xfc, ...varint(1000), ...Array(1000).fill(0), 0])), 2001);
});
