/** Documents to token ids on several cores, in the documents' order whatever the number of threads. */
import { UserError } from "../../errors.ts";
import { utf8Bytes } from "../../text/utf8.ts";
import type { Tokenizer, TokenizerSource } from "../../formats/tokenizer.ts";
import type { EncodingRefusal, EncodingResult, EncodingTask } from "./encoding_protocol.ts";

/** UTF-16 code units that are sent to a thread at once: enough that sending costs little beside encoding. */
const BATCH_LENGTH = 1 << 18;
/** Batches that each worker has, one at work and the others waiting while the reading thread is at a batch itself. */
const BATCHES_PER_WORKER = 3;
/** Batches beside those: what the reading thread encodes itself meanwhile. */
const OWN_BATCHES = 2;

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
 * @param threads the calling one, which reads the documents and encodes while the others have enough to do, and workers
 * that encode; with one thread, or with a tokenizer that cannot be sent, the calling thread does everything
 */
export async function* encodeDocuments<T extends { readonly text: string }>(
  documents: AsyncIterable<T> | Iterable<T>,
  tokenizer: Tokenizer,
  threads: number,
): AsyncGenerator<EncodedDocument<T>, void> {
  const { source } = tokenizer;
  if (source === undefined || threads < 2) {
    for await (const document of documents) yield encodeDocument(document, tokenizer);
    return;
  }
  const workerCount = threads - 1;
  const workers: EncodingThread[] = [];
  /** in the documents' order, whoever encodes them */
  const pending: (EncodedDocument<T>[] | Promise<EncodedDocument<T>[]>)[] = [];
  try {
    for await (const batch of batches(documents)) {
      let worker = freeOf(workers);
      if (worker === undefined && workers.length === workerCount) {
        // Answers that are there already come in.
        await new Promise((resolve) => setTimeout(resolve));
        worker = freeOf(workers);
      }
      if (worker === undefined && workers.length < workerCount) workers.push(worker = new EncodingThread(source));
      if (worker === undefined) pending.push(batch.map((document) => encodeDocument(document, tokenizer)));
      else {
        const encoded = worker.encode(batch);
        // Whoever waits for it is told; until then a failure must not count as one that nobody handles.
        encoded.catch(() => {});
        pending.push(encoded);
      }
      if (pending.length >= BATCHES_PER_WORKER * workerCount + OWN_BATCHES) yield* await pending.shift() ?? [];
    }
    for (const encoded of pending) yield* await encoded;
  } finally {
    for (const worker of workers) worker.terminate();
  }
}

function encodeDocument<T extends { readonly text: string }>(document: T, tokenizer: Tokenizer): EncodedDocument<T> {
  return { document, tokens: tokenizer.encode(document.text), textBytes: utf8Bytes(document.text) };
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

function freeOf(workers: readonly EncodingThread[]): EncodingThread | undefined {
  return workers.find(({ batches }) => batches < BATCHES_PER_WORKER);
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

  /** Batches that it has not answered. */
  get batches(): number {
    return this.#asked.length;
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
