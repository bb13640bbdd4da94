/** Documents to token ids on several cores, in the documents' order whatever the number of threads. */
import { UserError } from "../../errors.ts";
import { utf8Bytes } from "../../text/utf8.ts";
import type { Tokenizer, TokenizerSource } from "../../formats/tokenizer.ts";
import type { EncodingRefusal, EncodingResult, EncodingTask } from "./encoding_protocol.ts";

/** UTF-16 code units that are sent to a thread at once: enough that sending costs little beside encoding. */
const BATCH_LENGTH = 1 << 18;
/** Batches that each worker has, one at work and one waiting. */
const BATCHES_PER_WORKER = 2;

/** A document with its ids, without the end. */
export interface EncodedDocument<T> {
  readonly document: T;
  readonly tokens: Uint16Array;
  /** bytes of its UTF-8 */
  readonly textBytes: number;
}

/**
 * Encodes documents. A few batches are held, so memory does not grow with the corpus.
 *
 * @param threads the calling one, which reads the documents, and workers that encode; with one thread, or with a
 * tokenizer that cannot be sent, the calling thread does both
 */
export async function* encodeDocuments<T extends { readonly text: string }>(
  documents: AsyncIterable<T> | Iterable<T>,
  tokenizer: Tokenizer,
  threads: number,
): AsyncGenerator<EncodedDocument<T>, void> {
  const { source } = tokenizer;
  if (source === undefined || threads < 2) {
    for await (const document of documents) {
      const tokens = tokenizer.encode(document.text);
      yield { document, tokens, textBytes: utf8Bytes(document.text) };
    }
    return;
  }
  const workerCount = threads - 1;
  const workers: EncodingThread[] = [];
  const pending: Promise<EncodedDocument<T>[]>[] = [];
  try {
    let sent = 0;
    for await (const batch of batches(documents)) {
      const slot = sent++ % workerCount;
      const worker = workers[slot] ??= new EncodingThread(source);
      const encoded = worker.encode(batch);
      // Whoever waits for it is told; until then a failure must not count as one that nobody handles.
      encoded.catch(() => {});
      pending.push(encoded);
      if (pending.length >= BATCHES_PER_WORKER * workerCount) yield* await pending.shift() ?? [];
    }
    for (const encoded of pending) yield* await encoded;
  } finally {
    for (const worker of workers) worker.terminate();
  }
}

async function* batches<T extends { readonly text: string }>(
  documents: AsyncIterable<T> | Iterable<T>,
): AsyncGenerator<T[], void> {
  let batch: T[] = [], length = 0;
  for await (const document of documents) {
    batch.push(document);
    length += document.text.length;
    if (length < BATCH_LENGTH) continue;
    yield batch;
    [batch, length] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}

/** A worker; it answers in the order in which it was asked. */
class EncodingThread {
  readonly #worker = new Worker(new URL("./encoding_worker.ts", import.meta.url), { type: "module" });
  readonly #asked: PromiseWithResolvers<EncodingResult>[] = [];

  constructor(source: TokenizerSource) {
    this.#worker.onmessage = ({ data }: MessageEvent<EncodingResult | EncodingRefusal>) => {
      const asked = this.#asked.shift();
      if ("code" in data) asked?.reject(new UserError(data.code, data.message));
      else asked?.resolve(data);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      const error = new Error(`A thread that encodes documents failed: ${event.message}`);
      for (const { reject } of this.#asked.splice(0)) reject(error);
    };
    this.#worker.postMessage(source);
  }

  async encode<T extends { readonly text: string }>(documents: readonly T[]): Promise<EncodedDocument<T>[]> {
    const answer = Promise.withResolvers<EncodingResult>();
    this.#asked.push(answer);
    const task: EncodingTask = { texts: documents.map(({ text }) => text) };
    this.#worker.postMessage(task);
    const { tokens, counts, textBytes } = await answer.promise;
    let end = 0;
    return documents.map((document, i) => {
      const start = end;
      end += counts[i] ?? 0;
      return { document, tokens: tokens.subarray(start, end), textBytes: textBytes[i] ?? 0 };
    });
  }

  terminate(): void {
    this.#worker.terminate();
  }
}
