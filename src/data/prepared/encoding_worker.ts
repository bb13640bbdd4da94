/** A thread that encodes: takes a tokenizer first, then documents, and answers in their order. */
/// <reference lib="deno.worker" />
import { BpeTokenizer } from "../../formats/bpe/bpe_tokenizer.ts";
import { UserError } from "../../errors.ts";
import { utf8Bytes } from "../../text/utf8.ts";
import type { TokenizerSource } from "../../formats/tokenizer.ts";
import type { EncodingRefusal, EncodingResult, EncodingTask } from "./encoding_protocol.ts";

let tokenizer: BpeTokenizer | undefined;

function encode(tokenizer: BpeTokenizer, texts: readonly string[]): EncodingResult {
  const pieces = texts.map((text) => tokenizer.encode(text));
  const tokens = new Uint16Array(pieces.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const piece of pieces) {
    tokens.set(piece, at);
    at += piece.length;
  }
  return {
    tokens,
    counts: Uint32Array.from(pieces, ({ length }) => length),
    textBytes: Float64Array.from(texts, utf8Bytes),
  };
}

self.onmessage = ({ data }: MessageEvent<TokenizerSource | EncodingTask>) => {
  if ("definition" in data) {
    tokenizer = new BpeTokenizer(data);
    return;
  }
  if (tokenizer === undefined) throw new Error("Documents came before the tokenizer");
  try {
    const result = encode(tokenizer, data.texts);
    self.postMessage(result, [result.tokens.buffer, result.counts.buffer, result.textBytes.buffer]);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    self.postMessage({ code: error.code, message: error.message } satisfies EncodingRefusal);
  }
};
