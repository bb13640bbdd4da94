/**
 * Words by GPT-2's pattern, `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`, found in UTF-8
 * without a regular expression.
 *
 * @see `src/encoder.py` of openai/gpt-2
 */
import type { PaddedText } from "./padded_text.ts";
import { CLASSES, CLASSIFIED, LETTER, OTHER, SPACE } from "./unicode_classes.ts";

const APOSTROPHE = 0x27, BLANK = 0x20;
/** Beside the classes. */
const NOT_ASCII = 4;
const d = 0x64, e = 0x65, l = 0x6c, m = 0x6d, r = 0x72, s = 0x73, t = 0x74, v = 0x76;

/** Class of the character at a byte, in the lower two bits, and its length in bytes above them. */
function charAt(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] as number;
  if (lead < 0x80) return (CLASSES[lead] as number) | 4;
  const second = (bytes[at + 1] as number) & 0x3f;
  if (lead < 0xe0) return (CLASSES[(lead & 0x1f) << 6 | second] as number) | 8;
  const third = (bytes[at + 2] as number) & 0x3f;
  if (lead < 0xf0) return (CLASSES[(lead & 0x0f) << 12 | second << 6 | third] as number) | 12;
  const point = (lead & 0x07) << 18 | second << 12 | third << 6 | (bytes[at + 3] as number) & 0x3f;
  return (point < CLASSIFIED ? CLASSES[point] as number : OTHER) | 16;
}

/** Class of each byte that is a character; another value for those of longer characters. */
const BYTE_CLASSES = Uint8Array.from({ length: 256 }, (_, byte) => byte < 0x80 ? CLASSES[byte] as number : NOT_ASCII);

/** Of four bytes those that are no letters of ASCII, a bit each from the lowest byte on. */
function notLetters(bytes: number): number {
  // Sums within seven bits tell what is beyond a bound; no byte carries into the next one.
  const lower = (bytes | 0x20202020) & 0x7f7f7f7f;
  const letters = lower + 0x1f1f1f1f & ~(lower + 0x05050505) & ~bytes;
  return Math.imul(~letters >>> 7 & 0x01010101, 0x10204080) >>> 28;
}

/**
 * End of a run of letters, eight bytes at a time: a loop over single bytes costs most where the processor guesses wrong
 * when it ends.
 *
 * @param view over the bytes, of which eight may be read beyond the text
 */
function lettersEnd({ bytes, view }: PaddedText, from: number, to: number): number {
  for (let at = from; at < to; at += 8) {
    const others = notLetters(view.getInt32(at, true)) | notLetters(view.getInt32(at + 4, true)) << 4;
    if (others === 0) continue;
    const end = at + 31 - Math.clz32(others & -others);
    if (end >= to) return to;
    return (bytes[end] as number) < 0x80 ? end : runEnd(bytes, end, to, LETTER);
  }
  return to;
}

/** End of the run of characters of a class. */
function runEnd(bytes: Uint8Array, from: number, to: number, kind: number): number {
  let at = from;
  while (at < to) {
    const byteClass = BYTE_CLASSES[bytes[at] as number] as number;
    if (byteClass === kind) {
      at++;
      continue;
    }
    if (byteClass !== NOT_ASCII) return at;
    const char = charAt(bytes, at);
    if ((char & 3) !== kind) return at;
    at += char >> 2;
  }
  return at;
}

/** End of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` at an apostrophe; 0 where none stands. */
function contractionEnd(bytes: Uint8Array, at: number, to: number): number {
  if (at + 1 >= to) return 0;
  const first = bytes[at + 1];
  if (first === s || first === t || first === m || first === d) return at + 2;
  if (at + 2 >= to) return 0;
  const second = bytes[at + 2];
  return (first === r || first === v) && second === e || first === l && second === l ? at + 3 : 0;
}

/** End of the white space from `at` on: its last character is left to what follows, if anything does. */
function spaceEnd(bytes: Uint8Array, at: number, next: number, to: number): number {
  let last = at;
  while (next < to) {
    const char = charAt(bytes, next);
    if ((char & 3) !== SPACE) return last > at ? last : next;
    last = next;
    next += char >> 2;
  }
  return to;
}

/**
 * End of the word that begins at `at` in well-formed UTF-8.
 *
 * @param to end of the text, which the pattern's lookahead sees as well
 */
export function wordEnd(text: PaddedText, at: number, to: number): number {
  const { bytes } = text;
  // What most words are: a space, and letters of ASCII.
  if (bytes[at] === BLANK && at + 1 < to && BYTE_CLASSES[bytes[at + 1] as number] === LETTER) {
    return lettersEnd(text, at + 2, to);
  }
  const first = charAt(bytes, at);
  const kind = first & 3;
  const next = at + (first >> 2);
  if (kind !== SPACE) {
    if (bytes[at] === APOSTROPHE) {
      const end = contractionEnd(bytes, at, to);
      if (end > 0) return end;
    }
    return kind === LETTER ? lettersEnd(text, next, to) : runEnd(bytes, next, to, kind);
  }
  if (bytes[at] === BLANK && next < to) {
    const second = charAt(bytes, next);
    if ((second & 3) !== SPACE) return runEnd(bytes, next + (second >> 2), to, second & 3);
  }
  return spaceEnd(bytes, at, next, to);
}
