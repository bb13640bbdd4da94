import assert from "node:assert/strict";
import { decompressSnappy } from "../../../src/formats/parquet/snappy.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (...parts: (string | number[])[]) =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...new TextEncoder().encode(part)] : part)));

// Elements by the format's description: tag & 3 is 0 for literals, 1 to 3 for copies with distances of so many bytes.
for (
  const { what, block, expected } of [
    { what: "nothing", block: [[0]], expected: "" },
    { what: "a literal", block: [[5, 4 << 2], "Hello"], expected: "Hello" },
    {
      what: "a literal with a length of one byte",
      block: [[100, 60 << 2, 99], "x".repeat(100)],
      expected: "x".repeat(100),
    },
    {
      what: "a literal with a length of two bytes",
      block: [[0xac, 0x02, 61 << 2, 0x2b, 0x01], "y".repeat(300)],
      expected: "y".repeat(300),
    },
    { what: "a copy at a distance of eleven bits", block: [[8, 3 << 2], "abcd", [1, 4]], expected: "abcdabcd" },
    {
      what: "a far copy at a distance of eleven bits",
      block: [[0x88, 0x05, 61 << 2, 0x83, 0x02], "ab".repeat(322), [(2 << 5) | 1, 0x84]],
      expected: "ab".repeat(324),
    },
    {
      what: "a copy at a distance of two bytes",
      block: [[7, 3 << 2], "abcd", [(2 << 2) | 2, 3, 0]],
      expected: "abcdbcd",
    },
    {
      what: "a copy at a distance of four bytes",
      block: [[6, 3 << 2], "abcd", [(1 << 2) | 3, 4, 0, 0, 0]],
      expected: "abcdab",
    },
    { what: "a copy that repeats itself", block: [[13, 0], "a", [(11 << 2) | 2, 1, 0]], expected: "a".repeat(13) },
    {
      what: "a long copy that repeats itself",
      block: [[41, 2 << 2], "abc", [(37 << 2) | 2, 3, 0]],
      expected: "abc".repeat(14).slice(0, 41),
    },
    {
      what: "a long copy",
      block: [[40, 19 << 2], "0123456789abcdefghij", [(19 << 2) | 2, 20, 0]],
      expected: "0123456789abcdefghij".repeat(2),
    },
  ] as const
) {
  Deno.test(`decompressSnappy() reads ${what}`, () => {
    assert.equal(
      text(
        decompressSnappy(bytes(...block.map((part) => typeof part === "string" ? part : [...part])), expected.length),
      ),
      expected,
    );
  });
}

for (
  const { what, block, length } of [
    { what: "no length", block: [], length: 0 },
    { what: "a length without an end", block: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff], length: 5 },
    { what: "another length than expected", block: [5, 0, 65], length: 6 },
    { what: "a literal that is cut short", block: [5, 4 << 2, 65], length: 5 },
    { what: "a literal whose length is cut short", block: [5, 63 << 2, 1, 0], length: 5 },
    { what: "a literal of four gigabytes", block: [5, 63 << 2, 0xff, 0xff, 0xff, 0xff, 65], length: 5 },
    { what: "a copy before the start", block: [5, 0, 65, (3 << 2) | 2, 2, 0], length: 5 },
    { what: "a copy at no distance", block: [5, 0, 65, (3 << 2) | 2, 0, 0], length: 5 },
    { what: "a copy that is cut short", block: [5, 0, 65, (3 << 2) | 2, 1], length: 5 },
    { what: "more than it states", block: [2, 2 << 2, 65, 66, 67], length: 2 },
    { what: "a copy of more than it states", block: [3, 0, 65, (3 << 2) | 2, 1, 0], length: 3 },
    { what: "less than it states", block: [3, 0, 65], length: 3 },
  ]
) {
  Deno.test(`decompressSnappy() refuses ${what}`, () => {
    assert.throws(() => decompressSnappy(Uint8Array.from(block), length), RangeError);
  });
}
