/** Words that are tokens as they stand, whatever merges make of them: what `ignore_merges` of the reference asks for. */
import { BYTE_CHARACTERS } from "./byte_alphabet.ts";

/** Finds words in a vocabulary. */
export class WholeWords {
  readonly #longest: number;

  /** @param vocabulary tokens in the byte alphabet */
  constructor(private readonly vocabulary: ReadonlyMap<string, number>) {
    this.#longest = [...vocabulary.keys()].reduce((longest, { length }) => Math.max(longest, length), 0);
  }

  /** Id of a word; `undefined` if it is not a token. */
  idOf(bytes: Uint8Array, from: number, to: number): number | undefined {
    if (to - from > this.#longest) return undefined;
    let word = "";
    for (let at = from; at < to; at++) word += BYTE_CHARACTERS[bytes[at] as number];
    return this.vocabulary.get(word);
  }
}
