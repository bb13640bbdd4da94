import assert from "node:assert/strict";
import { tokenBytesTable } from "../../src/formats/bpe/token_bytes.ts";
import { bpeTokenBytes, byteTokenBytes, TextOfTokens } from "../../src/inference/token_text.ts";

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

Deno.test("bpeTokenBytes() takes tokens for bytes, and added tokens for their text", () => {
  const vocabulary = new Map([["a", 1], ["b", 2], ["c", 3], ["ab", 4], ["Ġabc", 5], ["Ã", 7], ["©", 8], ["é|", 9]]);
  const added = [{ id: 0, content: "<|endoftext|>" }, { id: 6, content: "ét" }, { id: 2, content: "  " }];
  const bytesOf = bpeTokenBytes({ tokenBytes: tokenBytesTable(vocabulary, added, 12) });
  assert.deepEqual(
    textOf(bytesOf, [5, 6, 4, 3, 2, 0, 10, 11, 12, 65535]),
    [" abc", "ét", "ab", "c", "  ", "<|endoftext|>", "", "", "", "", ""],
  );
  assert.deepEqual(textOf(bytesOf, [7, 8]), ["", "é", ""]);
});
