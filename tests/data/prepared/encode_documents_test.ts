import { deepEqual, equal, rejects } from "node:assert/strict";
import { type EncodedDocument, encodeDocuments } from "../../../src/data/prepared/encode_documents.ts";
import { BYTE_TOKENIZER } from "../../../src/formats/tokenizer.ts";
import { bpeTokenizer } from "../../formats/bpe/small_tokenizer.ts";
import { story } from "../fixtures.ts";

const tokenizer = await bpeTokenizer();
/** Several batches, so that every thread gets some. */
const documents = Array.from({ length: 400 }, (_, i) => ({ ordinal: i, text: `${i} é ${story(i, 900)}` }));

const plain = ({ document, tokens, textBytes }: EncodedDocument<{ ordinal: number; text: string }>) => ({
  ordinal: document.ordinal,
  tokens: [...tokens],
  textBytes,
});

Deno.test("encodeDocuments() gives the same ids in the same order for any number of threads", async () => {
  const expected = documents.map(({ ordinal, text }) => ({
    ordinal,
    tokens: [...tokenizer.encode(text)],
    textBytes: new TextEncoder().encode(text).length,
  }));
  for (const threads of [1, 2, 3]) {
    const found = await Array.fromAsync(encodeDocuments(documents, tokenizer, threads));
    deepEqual(found.map(plain), expected);
  }
});

Deno.test("encodeDocuments() encodes in the calling thread too while the others are at work", async () => {
  let own = 0;
  const counting = {
    ...BYTE_TOKENIZER,
    source: tokenizer.source,
    encode: (text: string) => {
      own++;
      return tokenizer.encode(text);
    },
  };
  // A batch each.
  const long = Array.from({ length: 12 }, (_, ordinal) => ({ ordinal, text: `${ordinal} words `.repeat(1 << 15) }));
  const found = await Array.fromAsync(encodeDocuments(long, counting, 2));
  equal(own > 0 && own < long.length, true, `${own} of ${long.length}`);
  deepEqual(found.map(({ document }) => document.ordinal), long.map(({ ordinal }) => ordinal));
  for (const { document, tokens } of found) deepEqual(tokens, tokenizer.encode(document.text));
});

Deno.test("encodeDocuments() gives nothing for no documents, and bytes without threads", async () => {
  deepEqual(await Array.fromAsync(encodeDocuments([], tokenizer, 2)), []);
  const [first] = await Array.fromAsync(encodeDocuments([{ ordinal: 0, text: "é" }], BYTE_TOKENIZER, 4));
  deepEqual([...first?.tokens ?? []], [0xc3, 0xa9]);
  equal(first?.textBytes, 2);
});

Deno.test("encodeDocuments() passes on what the documents throw, and leaves no thread behind", async () => {
  async function* failing() {
    yield* documents.slice(0, 300);
    await Promise.reject(new Error("the source broke"));
  }
  await rejects(Array.fromAsync(encodeDocuments(failing(), tokenizer, 2)), /the source broke/);
  // A reader that stops early; the test runner notices threads that go on.
  for await (const { document } of encodeDocuments(documents, tokenizer, 2)) {
    if (document.ordinal === 3) break;
  }
});
