/** How much text a token stands for. */
import type { TokenizerDefinition } from "./tokenizer_file.ts";

/** UTF-8 bytes of each id, by id; 0 for the end of a text, and for ids that stand for nothing. */
export function tokenByteLengths(
  { tokenBytes: { ends }, endOfText }: Pick<TokenizerDefinition, "tokenBytes" | "endOfText">,
): Uint32Array {
  const lengths = ends.map((end, id) => end - (ends[id - 1] ?? 0));
  lengths[endOfText] = 0;
  return lengths;
}
