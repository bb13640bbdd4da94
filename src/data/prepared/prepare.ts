/**
 * From documents to prepared files: a `.bin`/`.idx` pair a domain and split, its documents already in shuffled order,
 * so that a training window is one read. Two passes, both in memory that does not grow with the corpus: the documents
 * are tokenised into staging files in the sources' order, and from there copied in the permutation's.
 */
import { Permutation } from "../../arithmetic/permutation.ts";
import { STREAM } from "../../arithmetic/streams.ts";
import { UserError } from "../../errors.ts";
import { writeFileDurably } from "../../files/durable.ts";
import { domainWord, type SourceDocument, type Split } from "../domain.ts";
import type { Ingredients } from "../text_ingredients.ts";
import type { DataProgress } from "../options.ts";
import { OddRowCounter } from "../text/odd_rows.ts";
import { encodeDocuments } from "./encode_documents.ts";
import { formatPrepared, PREPARED_FILE, type PreparedManifest } from "./manifest.ts";
import { Staging } from "./staging.ts";

/** The Pile has 22 domains; far more are a sign that the field holds something else. Each keeps four files open. */
const MAX_DOMAINS = 64;
/** Bytes of text after which an interruption loses nothing that came before. */
const CHECKPOINT_BYTES = 1 << 28;

/** Choices that change no byte of the result. */
export interface PrepareOptions {
  /** threads, one of which reads while the others encode; the machine's cores if not given */
  readonly threads?: number;
  /** bytes of text between records of the progress; 2^28 if not given */
  readonly checkpointBytes?: number;
  readonly onProgress: (progress: DataProgress) => void;
}

/**
 * Tokenises and shuffles a corpus into a folder that is empty or left by an earlier attempt, and writes
 * `prepared.json` last.
 *
 * @throws {UserError} `CORPUS_EMPTY`, `TOO_MANY_DOMAINS`, and as the sources' documents throw
 */
export async function prepare(ingredients: Ingredients, folder: string, options: PrepareOptions): Promise<void> {
  const { tokenizer, preparedDigest } = ingredients;
  const { checkpointBytes = CHECKPOINT_BYTES } = options;
  const staging = await Staging.open(folder, preparedDigest, tokenizer.endOfText, checkpointBytes);
  try {
    if (!staging.isComplete) await stage(ingredients, staging, options);
    const domains = await shuffle(ingredients, staging, options);
    const { oddRows } = staging;
    const manifest: PreparedManifest = {
      format: 1,
      digest: preparedDigest,
      domains,
      oddRows,
    };
    await writeFileDurably(`${folder}/${PREPARED_FILE}`, formatPrepared(manifest));
    staging.removeProgress();
  } finally {
    staging.close();
  }
}

/** Tokenises the documents that are not staged yet. */
async function stage(ingredients: Ingredients, staging: Staging, options: PrepareOptions): Promise<void> {
  const { name: corpus, tokenizer, sourceBytes: totalBytes } = ingredients;
  const { threads = navigator.hardwareConcurrency, onProgress } = options;
  let doneBytes = 0;
  const odd = new OddRowCounter();
  const documents = ingredients.documents((bytes) => {
    doneBytes += bytes;
    onProgress({ stage: "tokenise", corpus, doneBytes, totalBytes });
  }, odd.count);
  const known = new Set(staging.domains);
  for await (const encoded of encodeDocuments(after(documents, staging.documents), tokenizer, threads)) {
    const { domain, split } = encoded.document;
    if (!known.has(domain)) {
      requireFewDomains(corpus, known.size);
      known.add(domain);
    }
    await staging.add(domain, split, encoded.tokens, encoded.textBytes);
  }
  if (known.size === 0) {
    const withoutText = odd.rows?.withoutText ?? 0;
    const found = withoutText === 0 ? "" : `, but ${withoutText} rows whose "text" is missing or null`;
    throw new UserError(
      "CORPUS_EMPTY",
      `The ${corpus} corpus (${ingredients.sources.map(({ name }) => `"${name}"`).join(", ")}) has no text${found}`,
      withoutText === 0 ? "give files with some" : 'write each document as {"text": "…"}',
    );
  }
  await staging.finish(odd.rows);
}

/** Documents after the first `count`. The sources are read from their start: their digests are checked to the end. */
async function* after(
  documents: AsyncIterable<SourceDocument> | Iterable<SourceDocument>,
  count: number,
): AsyncGenerator<SourceDocument, void> {
  let ordinal = 0;
  for await (const document of documents) {
    if (ordinal++ >= count) yield document;
  }
}

/** Copies every split in its last order. */
async function shuffle(
  { name: corpus, dataSeed }: Ingredients,
  staging: Staging,
  { onProgress }: PrepareOptions,
): Promise<PreparedManifest["domains"]> {
  let doneBytes = 0;
  const totalBytes = 2 * staging.tokens;
  const onBytes = (bytes: number) => {
    doneBytes += bytes;
    onProgress({ stage: "shuffle", corpus, doneBytes, totalBytes });
  };
  const domains = [];
  for (const [ordinal, domain] of staging.domains.toSorted((a, b) => (a < b ? -1 : 1)).entries()) {
    const shuffled = (split: Split) => {
      const stream = [split === "train" ? 0 : 1, domainWord(domain), STREAM.documentOrder] as const;
      const orderOf = (documents: number) => documents === 0 ? null : new Permutation(documents, dataSeed, stream);
      return staging.shuffle(domain, split, fileName(ordinal, domain, split), orderOf, onBytes);
    };
    domains.push({ name: domain, train: await shuffled("train"), validation: await shuffled("validation") });
  }
  return domains;
}

/** A domain's name as part of a file name; the ordinal before it keeps names apart that become the same. */
function fileName(ordinal: number, domain: string, split: Split): string {
  const readable = domain.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").slice(0, 40);
  return `${String(ordinal).padStart(2, "0")}-${readable}.${split}`;
}

function requireFewDomains(corpus: string, domains: number): void {
  if (domains < MAX_DOMAINS) return;
  throw new UserError(
    "TOO_MANY_DOMAINS",
    `The ${corpus} corpus has more than ${MAX_DOMAINS} domains (values of meta.pile_set_name or ` +
      "meta.redpajama_set_name)",
    "write coarser names there, or leave them out",
  );
}
