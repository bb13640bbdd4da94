import fc from "fast-check";
import { deepEqual } from "node:assert/strict";
import { PaddedText } from "../../../src/formats/bpe/padded_text.ts";
import { wordEnd } from "../../../src/formats/bpe/words.ts";

/** GPT-2's own pattern, by the engine's tables: the texts here have only characters that Unicode has had for long. */
const PATTERN = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

function wordsOf(text: string, before: string, after: string): string[] {
  const padded = new PaddedText();
  padded.encode(before + text + after);
  const bytes = (part: string) => new TextEncoder().encode(part).length;
  const from = bytes(before), to = from + bytes(text);
  const words: string[] = [];
  for (let at = from; at < to;) {
    const end = wordEnd(padded, at, to);
    words.push(new TextDecoder().decode(padded.bytes.subarray(at, end)));
    at = end;
  }
  return words;
}

const unit = fc.constantFrom(..."aZz@[`{09 \n\t'sltrevemd-_é漢½\u00a0\u0000😀");
const run = fc.tuple(unit, fc.nat(20)).map(([unit, count]) => unit.repeat(count));
const text = fc.array(fc.oneof(run, fc.string({ unit }), fc.string()), { maxLength: 8 }).map((parts) => parts.join(""));

Deno.test("wordEnd() cuts where GPT-2's pattern does, whatever stands around the piece", () => {
  fc.assert(
    fc.property(
      text,
      fc.constantFrom("", "x", "ab "),
      fc.constantFrom("", "a", " letters beyond"),
      (text, before, after) => {
        deepEqual(wordsOf(text, before, after), text.match(PATTERN) ?? []);
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("wordEnd() finds the end of letters at every length, before every byte of ASCII", () => {
  for (let length = 1; length <= 20; length++) {
    for (let next = 0; next < 128; next++) {
      const text = ` ${"Mn".repeat(length).slice(0, length)}${String.fromCharCode(next)}q`;
      deepEqual(wordsOf(text, "", ""), text.match(PATTERN));
    }
  }
});
