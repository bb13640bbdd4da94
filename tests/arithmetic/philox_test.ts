import assert from "node:assert/strict";
import { philox } from "../../src/arithmetic/philox.ts";

type Counter = readonly [number, number, number, number];
type Key = readonly [number, number];

function hexadecimal(key: Key, counter: Counter): string {
  const output = new Uint32Array(4);
  philox(key, counter, output);
  return Array.from(output, (word) => word.toString(16).padStart(8, "0")).join(" ");
}

// Random123's known answers (kat_vectors, philox4x32 with 10 rounds).
const KNOWN: [string, Key, Counter, string][] = [
  ["zeros", [0, 0], [0, 0, 0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
  [
    "ones",
    [0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    "408f276d 41c83b0e a20bc7c6 6d5451fd",
  ],
  [
    "the digits of π",
    [0xa4093822, 0x299f31d0],
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    "d16cfe09 94fdcceb 5001e420 24126ea1",
  ],
];

for (const [name, key, counter, expected] of KNOWN) {
  Deno.test(`philox() gives Random123's known answer when key and counter are ${name}`, () => {
    assert.equal(hexadecimal(key, counter), expected);
  });
}

Deno.test("philox() takes signed words for the unsigned words of the same bits", () => {
  assert.equal(hexadecimal([-1, -1], [-1, -1, -1, -1]), "408f276d 41c83b0e a20bc7c6 6d5451fd");
});

Deno.test("philox() changes every word when one bit of key or counter changes", () => {
  const plain = hexadecimal([5, 6], [1, 2, 3, 4]).split(" ");
  const neighbours: [Key, Counter][] = [
    [[4, 6], [1, 2, 3, 4]],
    [[5, 7], [1, 2, 3, 4]],
    [[5, 6], [0, 2, 3, 4]],
    [[5, 6], [1, 3, 3, 4]],
    [[5, 6], [1, 2, 2, 4]],
    [[5, 6], [1, 2, 3, 0x80000004]],
  ];
  for (const [key, counter] of neighbours) {
    hexadecimal(key, counter).split(" ").forEach((word, i) => assert.notEqual(word, plain[i]));
  }
});
