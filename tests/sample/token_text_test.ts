import assert from "node:assert/strict";
import { bpeTokenBytes, byteTokenBytes, TextOfTokens } from "../../src/sample/token_text.ts";

/** The text of some ids, and what each of them added. */
function textOf(bytesOf: (id: number) => Uint8Array<ArrayBuffer>, ids: Iterable<number>): string[] {
  const text = new TextOfTokens(bytesOf);
  return [...Array.from(ids, (id) => text.add(id)), text.end()];
}

Deno.test("TextOfTokens keeps the bytes of a character back until it is whole", () => {
  assert.deepEqual(textOf(byteTokenBytes, new TextEncoder().encode("aé€")), ["a", "", "é", "", "", "€", ""]);
});

Deno.test("TextOfTokens ends half a character with U+FFFD, and shows nothing for ids without text", () => {
  assert.deepEqual(textOf(byteTokenBytes, [0x61, 300, 0xe2, 0x82]), ["a", "", "", "", "\ufffd"]);
});

Deno.test("bpeTokenBytes() puts tokens together from merges and added tokens", () => {
  const byteIds = new Uint16Array(256);
  byteIds.set([1, 2, 3], 0x61); // a, b, c
  const bytesOf = bpeTokenBytes({
    byteIds,
    merges: [{ left: 1, right: 2, merged: 4 }, { left: 4, right: 3, merged: 5 }],
    addedTokens: [{ id: 0, content: "<|endoftext|>", normalized: false }, { id: 6, content: "  ", normalized: true }],
  });
  assert.deepEqual(textOf(bytesOf, [5, 6, 4, 3, 0, 7]), ["abc", "  ", "ab", "c", "<|endoftext|>", "", ""]);
});
