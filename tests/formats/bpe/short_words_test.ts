import { deepEqual, equal } from "node:assert/strict";
import { PaddedText } from "../../../src/formats/bpe/padded_text.ts";
import { SHORT_WORD, ShortWords } from "../../../src/formats/bpe/short_words.ts";

const padded = new PaddedText();

function find(words: ShortWords, word: string): number[] {
  padded.encode(`${word}more`);
  const ids = new Uint16Array(SHORT_WORD + 2);
  const count = words.copy(padded, 0, word.length, ids, 0);
  return [...ids.subarray(0, count)];
}

function add(words: ShortWords, word: string, ids: readonly number[]): void {
  padded.encode(`${word}rest`);
  words.add(padded, 0, word.length, Uint16Array.of(9, ...ids), 1, ids.length);
}

Deno.test("ShortWords tells words apart that differ in length, in a zero byte, or in one bit", () => {
  const words = new ShortWords();
  const all = ["", "\0", "\0\0", "a", "a\0", "abc", "abcd", "abcd\0", "abcde", "abcdefgh", "abcdefg", "abcdefgi"];
  for (const [i, word] of all.entries()) {
    if (word !== "") deepEqual(find(words, word), [], JSON.stringify(word));
    add(words, word, Array.from({ length: Math.max(1, word.length) }, (_, j) => 65535 - 16 * i - j));
  }
  for (const [i, word] of all.entries()) {
    deepEqual(find(words, word), Array.from({ length: Math.max(1, word.length) }, (_, j) => 65535 - 16 * i - j));
  }
});

Deno.test("ShortWords forgets words when it is full, and never gives another one's ids", () => {
  const words = new ShortWords();
  const idsOf = (i: number) => [i & 0xffff, i >> 16, 7].slice(0, 1 + i % 3);
  let known = 0;
  for (let i = 0; i < 50_000; i++) {
    const word = i.toString(36);
    deepEqual(find(words, word), []);
    add(words, word, idsOf(i));
    deepEqual(find(words, word), idsOf(i));
  }
  for (let i = 0; i < 50_000; i++) {
    const found = find(words, i.toString(36));
    if (found.length === 0) continue;
    known++;
    deepEqual(found, idsOf(i));
  }
  equal(known > 0 && known < 50_000, true);
});
