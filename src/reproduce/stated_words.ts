/**
 * How lists and names of any length stand in a manifest: as far as they are short in full, else by their beginning,
 * their length, and a digest that tells them from all others.
 */
import { canonicalJson } from "../digest/canonical_json.ts";
import { sha256 } from "../digest/sha256.ts";

/** Words of a list that are stated in full; two thousand shards are one list. */
const MAX_LIST = 32;
/** Words before the digest of a longer list. */
const SHOWN = 8;
/** Words of a whole command. */
const MAX_WORDS = 500;
/** UTF-16 code units of a word, and of a name. */
const MAX_WORD_LENGTH = 1000;
const MAX_NAME_LENGTH = 180;

/** A text that is not too long, or its beginning with what identifies the rest. */
function stated(text: string, maxLength: number): string {
  const whole = text.toWellFormed();
  if (whole.length <= maxLength) return whole;
  // The cut may part a surrogate pair.
  const start = whole.slice(0, maxLength / 2).toWellFormed();
  return `${start}… ${whole.length} characters, sha256 ${sha256(whole)}`;
}

/** A name as part of a member's name: names that differ stay different. */
export function statedName(name: string): string {
  return stated(name, MAX_NAME_LENGTH);
}

function statedList(words: readonly string[], maxWords: number): readonly string[] {
  if (words.length <= maxWords) return words;
  return [...words.slice(0, SHOWN), `… ${words.length} words, sha256 ${sha256(canonicalJson(words))}`];
}

/**
 * A command line as the manifest states it. The digest of a long list is that of the JSON array of its words (RFC 8785),
 * so that whoever knows the files can tell whether these were they.
 *
 * @param words as they were given; lists stand between options
 */
export function statedCommand(words: readonly string[]): string[] {
  const lists: string[][] = [[]];
  for (const word of words.map((word) => word.toWellFormed())) {
    if (word.startsWith("--")) lists.push([word], []);
    else lists.at(-1)?.push(word);
  }
  const shortened = lists.flatMap((list) => statedList(list, MAX_LIST));
  return statedList(shortened, MAX_WORDS).map((word) => stated(word, MAX_WORD_LENGTH));
}
