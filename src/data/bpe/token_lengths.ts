/** How much text a token stands for. */
import type { TokenizerDefinition } from "./tokenizer_file.ts";

const encoder = new TextEncoder();

/** UTF-8 bytes of each id, by id; 0 for the end of a text, and for ids that stand for nothing. */
export function tokenByteLengths(
  { byteIds, merges, addedTokens, vocabularySize, endOfText }: TokenizerDefinition,
): Uint32Array {
  const lengths = new Uint32Array(vocabularySize);
  for (const id of byteIds) lengths[id] = 1;
  for (const { left, right, merged } of merges) lengths[merged] = (lengths[left] ?? 0) + (lengths[right] ?? 0);
  for (const { id, content } of addedTokens) lengths[id] = encoder.encode(content).length;
  lengths[endOfText] = 0;
  return lengths;
}
