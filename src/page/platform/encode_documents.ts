/** Documents to token ids on the page's one thread: takes the place of `src/data/prepared/encode_documents.ts`. */
import type { EncodedDocument } from "../../data/prepared/encode_documents.ts";
import type { Tokenizer } from "../../formats/tokenizer.ts";
import { utf8Bytes } from "../../text/utf8.ts";

/** Encodes documents in their order. */
export async function* encodeDocuments<T extends { readonly text: string }>(
  documents: AsyncIterable<T> | Iterable<T>,
  tokenizer: Tokenizer,
): AsyncGenerator<EncodedDocument<T>, void> {
  for await (const document of documents) {
    yield { document, tokens: tokenizer.encode(document.text), textBytes: utf8Bytes(document.text) };
  }
}
