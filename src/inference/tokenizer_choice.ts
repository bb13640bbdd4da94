/** The tokenizer of a model: a `tokenizer.json`, or bytes where the vocabulary has one id for each. */
import { readDataLock } from "../data/data_lock.ts";
import { openTokenizer } from "../data/open_tokenizer.ts";
import { BYTE_TOKENIZER, type Tokenizer } from "../formats/tokenizer.ts";
import { UserError } from "../errors.ts";
import type { ModelConfig } from "../model/config.ts";
import { bpeTokenBytes, byteTokenBytes, type TokenBytes } from "./token_text.ts";

/** A tokenizer and its way back. */
export interface TwoWayTokenizer {
  readonly tokenizer: Tokenizer;
  readonly bytesOf: TokenBytes;
}

/**
 * Reads a tokenizer, or takes bytes.
 *
 * @param path of a `tokenizer.json`; without one the model must have a vocabulary of 256
 * @throws {UserError} `NO_TOKENIZER` if a file is needed; as `openTokenizer` throws
 */
export async function chooseTokenizer(model: ModelConfig, path: string | undefined): Promise<TwoWayTokenizer> {
  if (path === undefined && model.vocabularySize !== BYTE_TOKENIZER.vocabularySize) {
    throw new UserError(
      "NO_TOKENIZER",
      `The model has a vocabulary of ${model.vocabularySize}, and its tokenizer is not known`,
      "give its tokenizer.json with --tokenizer FILE",
    );
  }
  const tokenizer = await openTokenizer(path, await readDataLock(), model.vocabularySize);
  const definition = tokenizer.source?.definition;
  return { tokenizer, bytesOf: definition === undefined ? byteTokenBytes : bpeTokenBytes(definition) };
}
