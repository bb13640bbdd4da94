/** A tokenizer of 583 ids, trained on this repository's documentation; `tests/fixtures/tokenizer/`. */
import { BpeTokenizer } from "../../../src/formats/bpe/bpe_tokenizer.ts";
import { readTokenizerFile } from "../../../src/formats/bpe/tokenizer_file.ts";
import { sha256 } from "../../../src/digest/sha256.ts";

/** Path of its `tokenizer.json`. */
export const SMALL_TOKENIZER = new URL("../../fixtures/tokenizer/tokenizer.json", import.meta.url).pathname;

/** Texts with the ids that the reference gives. */
export const SMALL_CASES = SMALL_TOKENIZER.replace(/tokenizer\.json$/, "cases.json");

/** Opens a `tokenizer.json` without a lockfile. */
export async function bpeTokenizer(path = SMALL_TOKENIZER): Promise<BpeTokenizer> {
  const bytes = await Deno.readFile(path);
  return new BpeTokenizer({ definition: readTokenizerFile(bytes, path), sha256: sha256(bytes) });
}

/** SHA-256 of the ids of all texts as little-endian uint16, 65535 after each text. */
export function digestOfIds(tokenizer: BpeTokenizer, texts: readonly string[]): { ids: number; sha256: string } {
  const encoded = texts.map((text) => tokenizer.encode(text));
  const ids = encoded.reduce((total, { length }) => total + length, 0);
  const all = new Uint16Array(ids + texts.length).fill(0xffff);
  let at = 0;
  for (const piece of encoded) {
    all.set(piece, at);
    at += piece.length + 1;
  }
  return { ids, sha256: sha256(new Uint8Array(all.buffer)) };
}
