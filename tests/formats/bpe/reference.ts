/** Byte-level BPE as its definition reads, slow and with nothing in common with `src/formats/bpe/` but its input. */

/** The parts of a `tokenizer.json` that this reads. */
export interface PlainTokenizer {
  readonly added_tokens: readonly { readonly id: number; readonly content: string; readonly normalized: boolean }[];
  readonly model: { readonly vocab: Readonly<Record<string, number>>; readonly merges: readonly string[] };
}

const WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Splits at the longest of the tokens that begin first; the pieces at odd places are the tokens. */
function splitAt(text: string, tokens: readonly string[]): string[] {
  const sorted = tokens.toSorted((a, b) => b.length - a.length);
  const pieces: string[] = [];
  let piece = "";
  for (let at = 0; at < text.length;) {
    const token = sorted.find((candidate) => text.startsWith(candidate, at));
    if (token === undefined) piece += text.charAt(at++);
    else {
      pieces.push(piece, token);
      piece = "";
      at += token.length;
    }
  }
  return [...pieces, piece];
}

/** Ids by repeated merging of strings; normalisation is the caller's. */
export function plainEncode(text: string, { added_tokens, model }: PlainTokenizer, characters: readonly string[]) {
  const ranks = new Map(model.merges.map((merge, rank) => [merge, rank]));
  const ids: number[] = [];
  for (const [i, piece] of splitAt(text, added_tokens.map(({ content }) => content)).entries()) {
    if (i % 2 === 1) {
      ids.push(added_tokens.find(({ content }) => content === piece)?.id ?? -1);
      continue;
    }
    for (const [word] of piece.matchAll(WORDS)) {
      const parts = Array.from(new TextEncoder().encode(word), (byte) => characters[byte] ?? "");
      while (true) {
        const found = parts.slice(1).map((part, at) => ranks.get(`${parts[at]} ${part}`) ?? Infinity);
        const lowest = Math.min(...found);
        if (lowest === Infinity) break;
        const at = found.indexOf(lowest);
        parts.splice(at, 2, `${parts[at]}${parts[at + 1]}`);
      }
      ids.push(...parts.map((part) => model.vocab[part] ?? -1));
    }
  }
  return ids;
}
