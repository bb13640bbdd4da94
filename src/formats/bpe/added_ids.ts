/**
 * Ids of added tokens. The reference does not take the ids that a file states: a token that the vocabulary has keeps the
 * id it has there, and the others are numbered on from the vocabulary's size, in their order. After tokens were taken out
 * of a file by hand, or ids swapped, the stated ids are not those that the library gives.
 *
 * Where its versions disagree, and where an id would stand for two added tokens, a file is refused.
 *
 * @see https://github.com/huggingface/tokenizers, `added_vocabulary.rs`, `add_tokens`, of 0.22 and 0.23
 */
import type { AddedToken } from "./added_tokens.ts";

/** An added token as a file lists it, without the id that it states. */
export interface ListedToken {
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

/** An added token with the id it gets. */
export interface NumberedToken extends AddedToken {
  /** whether it is looked for in normalised text, and in normal form */
  readonly normalized: boolean;
  readonly special: boolean;
}

/**
 * Numbers the tokens of a file. One without text is none.
 *
 * @param vocabulary ids by token
 * @param refuse throws why the tokens have no ids for certain
 */
export function numberAddedTokens(
  listed: readonly ListedToken[],
  vocabulary: ReadonlyMap<string, number>,
  refuse: (found: string, remedy: string) => never,
): NumberedToken[] {
  const tokens = new Map<number, NumberedToken>();
  const seen = new Map<string, ListedToken>();
  let next = vocabulary.size;
  let largest = -1;
  for (const token of listed) {
    const { content, single_word: singleWord, lstrip: stripsLeft, rstrip: stripsRight, normalized, special } = token;
    if (content === "") continue;
    const before = seen.get(content);
    if (before !== undefined) {
      if (isSame(before, token)) continue;
      refuse(`the added token ${JSON.stringify(content)} twice, with different flags`, "list it once");
    }
    seen.set(content, token);
    const id = vocabulary.get(content) ?? next;
    if (!vocabulary.has(content)) {
      // Version 0.22 numbers on from the largest id of an added token, 0.23 from the last number that it gave.
      if (largest >= next) {
        refuse(
          `the added token ${JSON.stringify(content)}, which gets the id ${largest + 1} or ${next}, since the ids of ` +
            `"model.vocab" leave gaps and versions of the reference number on differently`,
          'give each added token its id in "model.vocab"',
        );
      }
      next++;
    }
    largest = Math.max(largest, id);
    const other = tokens.get(id);
    if (other !== undefined) {
      const both = `${JSON.stringify(other.content)} and ${JSON.stringify(content)}`;
      refuse(`the added tokens ${both}, which get one id, ${id}`, 'give each added token its id in "model.vocab"');
    }
    tokens.set(id, { id, content, singleWord, stripsLeft, stripsRight, normalized, special });
  }
  return [...tokens.values()];
}

function isSame(a: ListedToken, b: ListedToken): boolean {
  return a.single_word === b.single_word && a.lstrip === b.lstrip && a.rstrip === b.rstrip &&
    a.normalized === b.normalized && a.special === b.special;
}
