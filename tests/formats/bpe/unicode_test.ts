/** Which characters are letters, numbers and spaces, and which compose, must not change with the JavaScript engine. */
import { deepEqual, equal } from "node:assert/strict";
import { mayChange, normalize } from "../../../src/formats/bpe/nfc.ts";
import { CLASSES, CLASSIFIED, LETTER, NUMBER, OTHER, SPACE } from "../../../src/formats/bpe/unicode_classes.ts";
import { sha256 } from "../../../src/digest/sha256.ts";

Deno.test("CLASSES are the classes of Unicode 16", () => {
  const counts = [0, 0, 0, 0];
  for (const value of CLASSES) counts[value] = (counts[value] ?? 0) + 1;
  // As UnicodeData.txt and PropList.txt of Unicode 16.0.0 count them.
  deepEqual([counts[LETTER], counts[NUMBER], counts[SPACE]], [141_028, 1911, 25]);
  const patterns = [[LETTER, /\p{L}/u], [NUMBER, /\p{N}/u], [SPACE, /\p{White_Space}/u]] as const;
  const wrong: string[] = [];
  for (let point = 0; point < CLASSIFIED; point++) {
    const character = String.fromCodePoint(point);
    const found = patterns.find(([, pattern]) => pattern.test(character))?.[0] ?? OTHER;
    // A newer engine may know characters that were not assigned yet, but never takes one away.
    if (CLASSES[point] !== OTHER && CLASSES[point] !== found) wrong.push(point.toString(16));
  }
  deepEqual(wrong, []);
});

Deno.test("normalize() gives the reference's form of every character beside marks", () => {
  const pieces: string[] = [];
  for (let point = 0x20; point < 0x110000; point++) {
    if (point >= 0xd800 && point < 0xe000) continue;
    const character = String.fromCodePoint(point);
    pieces.push(`a${character}\u0334\u0345\u0301${character}\u1161${character}`);
  }
  // Of the same text by `tokenizers.normalizers.NFC().normalize_str`, tokenizers 0.23.2.
  equal(sha256(normalize(pieces.join(""))), "a76c9d357fbb2b27ad34e9b35752b8f2edb1a2a880bcb6223cccd456500f1b93");
});

Deno.test("mayChange() is true of every text that normalize() changes", () => {
  for (let point = 0; point < 0x300; point++) {
    const text = `a${String.fromCodePoint(point)}b`;
    equal(normalize(text), text);
    equal(mayChange(text), false);
  }
  equal(mayChange("e\u0301"), true);
  equal(mayChange("\u{1d15e}"), true);
});
