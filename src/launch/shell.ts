/** Words for POSIX shells. */

/** Characters of which none means anything to a shell. */
const PLAIN = /^[A-Za-z0-9_@%+=:,.\/-]+$/;

/**
 * A word as a shell takes it for exactly that word, whatever is in it.
 *
 * @throws {RangeError} for a NUL, which no shell can pass on
 *
 * @example
 * ```ts
 * import { shellWord } from "./shell.ts";
 *
 * console.log(shellWord("--time=24:00:00")); // --time=24:00:00
 * console.log(shellWord("it's $HOME")); // 'it'\''s $HOME'
 * ```
 */
export function shellWord(word: string): string {
  if (word.includes("\0")) throw new RangeError("A word for a shell has a NUL");
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Several words as one line. */
export function shellLine(words: readonly string[]): string {
  return words.map(shellWord).join(" ");
}
