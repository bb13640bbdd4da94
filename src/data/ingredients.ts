/** What a corpus is made of, known before anything is tokenised: its sources' digests and the digests of both. */
import { canonicalJson, type Json } from "../digest/canonical_json.ts";
import { type Digest, sha256 } from "../digest/sha256.ts";
import { suggest, UserError } from "../errors.ts";
import type { CorpusName } from "../experiment/run.ts";
import { type DataLock, readDataLock, requireDigest } from "./data_lock.ts";
import { CUTTING_RULE } from "./document_cutter.ts";
import {
  domainWord,
  type SourceDocument,
  type Split,
  splitOf,
  VALIDATION_ONE_IN,
} from "./domain.ts";
import { mixEmbedded, UPSTREAM_QUARTERS } from "./embedded_mix.ts";
import { inspectFile, readDocuments, type SourceFile } from "./file_source.ts";
import { EMBEDDED_PACKAGES, readPackage } from "./npm_source.ts";
import { type CorpusOptions, DEFAULT_DATA_SEED } from "./options.ts";
import { type Tokenizer, tokenizerOf } from "./tokenizer.ts";

/** Counts changes in what the same sources and options give: windows, order, blending, files. */
const FORMAT_VERSION = 1;
/** Decompressed bytes a byte of Zstandard on a guess, for English text. */
const ZSTD_RATIO = 3;

/** A number for each split. */
export type PerSplit = Readonly<Record<Split, number>>;

/** A pinned or at least digested source. */
export interface SourceDigest {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: Digest;
}

/** A corpus before it is prepared. */
export interface Ingredients {
  readonly name: CorpusName;
  readonly tokenizer: Tokenizer;
  readonly dataSeed: number;
  /** of all that determines the prepared files: the corpus digest without weights and window length */
  readonly preparedDigest: Digest;
  /** of all that determines the batches */
  readonly digest: Digest;
  readonly sources: readonly SourceDigest[];
  /** text bytes and documents, counted for `npm`, estimated for files */
  readonly expected: {
    readonly exact: boolean;
    readonly bytes: PerSplit;
    readonly documents: PerSplit;
  };
  /** bytes that {@linkcode documents} reports in the end */
  readonly sourceBytes: number;
  /** All documents in the sources' order. */
  documents(
    onBytes: (bytes: number) => void,
  ): AsyncIterable<SourceDocument> | Iterable<SourceDocument>;
}

/** What the two corpora have in common, checked. */
interface Settings {
  readonly options: CorpusOptions;
  readonly tokenizer: Tokenizer;
  readonly dataSeed: number;
  readonly lock: DataLock;
}

/**
 * Reads the digests of all sources, holds them against the lockfile, and derives the corpora's digests.
 *
 * @throws {UserError} for missing, unreadable, unpinned or wrong sources
 */
export async function gatherIngredients(
  options: CorpusOptions,
): Promise<Record<CorpusName, Ingredients>> {
  const dataSeed = options.dataSeed ?? DEFAULT_DATA_SEED;
  if (!Number.isSafeInteger(dataSeed) || dataSeed < 0) {
    throw new UserError(
      "INVALID_DATA_SEED",
      `Data seed ${dataSeed} is no whole number from 0 to 2^53 − 1`,
    );
  }
  if (
    !Number.isSafeInteger(options.sequenceLength) || options.sequenceLength < 1
  ) {
    throw new UserError(
      "INVALID_SEQUENCE_LENGTH",
      `Sequence length ${options.sequenceLength} is no whole number above 0`,
    );
  }
  const tokenizer = tokenizerOf(options.tokenizer ?? "byte");
  const settings = {
    options,
    tokenizer,
    dataSeed,
    lock: await readDataLock(options.lockFile),
  };
  if (options.source.kind === "npm") return await fromPackages(settings);
  const { upstream, downstream } = options.source;
  return {
    upstream: await fromFiles("upstream", upstream, settings),
    downstream: await fromFiles("downstream", downstream, settings),
  };
}

/** The two digests: of the prepared files, and of the batches. */
function digests(
  name: CorpusName,
  source: Json,
  split: Json,
  settings: Settings,
): [prepared: Digest, batches: Digest] {
  const { options, tokenizer, dataSeed } = settings;
  const prepared = {
    format: FORMAT_VERSION,
    source,
    split,
    tokenizer: tokenizer.specification,
    dataSeed,
  };
  const weights = options.weights?.[name] ?? null;
  return [
    sha256(canonicalJson(prepared)),
    sha256(
      canonicalJson({
        ...prepared,
        weights: weights ?? "token shares",
        sequenceLength: options.sequenceLength,
      }),
    ),
  ];
}

async function fromPackages(
  settings: Settings,
): Promise<Record<CorpusName, Ingredients>> {
  const { lock, tokenizer, dataSeed } = settings;
  const packages = [];
  for (const text of EMBEDDED_PACKAGES) {
    packages.push(await readPackage(text, lock));
  }
  const mixed = await mixEmbedded(packages, dataSeed);
  const sources = packages.map(({ package: name, version, bytes, sha256 }) => ({
    name: `${name}@${version}`,
    bytes,
    sha256,
  }));
  const encoder = new TextEncoder();
  const assemble = (name: CorpusName): Ingredients => {
    const documents = mixed[name];
    const source = {
      kind: "npm",
      part: name,
      upstreamQuarters: UPSTREAM_QUARTERS,
      cutting: CUTTING_RULE,
      packages: packages.map(({ domain, sha256 }) => ({ domain, sha256 })),
    };
    const [preparedDigest, digest] = digests(name, source, {
      validationOneIn: VALIDATION_ONE_IN,
    }, settings);
    const sizes = {
      bytes: { train: 0, validation: 0 },
      documents: { train: 0, validation: 0 },
    };
    for (const { split, text } of documents) {
      sizes.bytes[split] += encoder.encode(text).length;
      sizes.documents[split]++;
    }
    return {
      name,
      tokenizer,
      dataSeed,
      preparedDigest,
      digest,
      sources,
      expected: { exact: tokenizer.bytesPerToken === 1, ...sizes },
      sourceBytes: sizes.bytes.train + sizes.bytes.validation,
      *documents(onBytes) {
        for (const document of documents) {
          onBytes(encoder.encode(document.text).length);
          yield document;
        }
      },
    };
  };
  return { upstream: assemble("upstream"), downstream: assemble("downstream") };
}

async function fromFiles(
  name: CorpusName,
  paths: readonly string[],
  settings: Settings,
): Promise<Ingredients> {
  const { options, lock, tokenizer, dataSeed } = settings;
  if (paths.length === 0) {
    throw new UserError(
      "CORPUS_EMPTY",
      `The ${name} corpus has no files`,
      `give some with --${name} PATH…`,
    );
  }
  const totalBytes = await totalSize(paths);
  let doneBytes = 0;
  const files: SourceFile[] = [];
  for (const path of paths) {
    const file = await inspectFile(path, (bytes) => {
      doneBytes += bytes;
      options.onProgress?.({
        stage: "hash",
        corpus: name,
        doneBytes,
        totalBytes,
      });
    });
    const pin = lock.files[file.name];
    if (pin !== undefined) {
      requireDigest(path, file.sha256, pin.sha256, lock.name);
    }
    const twin = files.find((other) => other.sha256 === file.sha256);
    if (twin !== undefined) {
      throw new UserError(
        "DUPLICATE_SOURCE",
        `"${twin.path}" and "${path}" of the ${name} corpus have the same content`,
        "name it once",
      );
    }
    files.push(file);
  }
  const hasValidation = files.some((file) => file.isValidation);
  const source = {
    kind: "files",
    cutting: files.some(({ format }) => format === "txt") ? CUTTING_RULE : null,
    files: files.map(({ format, isValidation, sha256 }) => ({
      format,
      isValidation,
      sha256,
    })),
  };
  const split = hasValidation
    ? "by file"
    : { validationOneIn: VALIDATION_ONE_IN };
  const [preparedDigest, digest] = digests(name, source, split, settings);
  return {
    name,
    tokenizer,
    dataSeed,
    preparedDigest,
    digest,
    sources: files.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
    expected: estimate(files, hasValidation),
    sourceBytes: files.reduce((bytes, file) => bytes + file.bytes, 0),
    documents: (onBytes) =>
      splitDocuments(files, hasValidation, dataSeed, onBytes),
  };
}

/** Bytes of the files that are there; the missing ones are reported when they are read. */
async function totalSize(paths: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const path of paths) {
    bytes += await Deno.stat(path).then(({ size }) => size, () => 0);
  }
  return bytes;
}

function estimate(
  files: readonly SourceFile[],
  hasValidation: boolean,
): Ingredients["expected"] {
  const bytes = { train: 0, validation: 0 };
  for (const file of files) {
    const textBytes = file.format === "jsonl.zst"
      ? ZSTD_RATIO * file.bytes
      : file.bytes;
    const validation = hasValidation
      ? (file.isValidation ? textBytes : 0)
      : Math.round(textBytes / VALIDATION_ONE_IN);
    bytes.validation += validation;
    bytes.train += textBytes - validation;
  }
  return { exact: false, bytes, documents: { train: 0, validation: 0 } };
}

async function* splitDocuments(
  files: readonly SourceFile[],
  hasValidation: boolean,
  dataSeed: number,
  onBytes: (bytes: number) => void,
): AsyncGenerator<SourceDocument, void> {
  const domains = new Map<string, { readonly word: number; ordinal: number }>();
  for (const file of files) {
    for await (const { domain, text } of readDocuments(file, onBytes)) {
      let state = domains.get(domain);
      if (state === undefined) {
        domains.set(domain, state = { word: domainWord(domain), ordinal: 0 });
      }
      const drawn = splitOf(dataSeed, state.word, state.ordinal++);
      yield {
        domain,
        text,
        split: hasValidation
          ? (file.isValidation ? "validation" : "train")
          : drawn,
      };
    }
  }
}

/**
 * The weight of each domain that a corpus really has.
 *
 * @param domains names and training tokens; only those that give at least one window
 * @throws {UserError} if given weights do not fit the domains
 */
export function domainWeights(
  name: CorpusName,
  given: Readonly<Record<string, number>> | undefined,
  domains: readonly { readonly name: string; readonly tokens: number }[],
): number[] {
  if (given === undefined) return domains.map(({ tokens }) => tokens);
  const known = domains.map((domain) => domain.name);
  for (const [domain, weight] of Object.entries(given)) {
    if (!known.includes(domain)) {
      throw new UserError(
        "UNKNOWN_DOMAIN",
        `The ${name} corpus has no domain "${domain}" that fills a window`,
        suggest(domain, known),
      );
    }
    if (!(weight >= 0 && Number.isFinite(weight))) {
      throw new UserError(
        "INVALID_WEIGHT",
        `Weight of the domain "${domain}" is ${weight}`,
        "give a number from 0 on",
      );
    }
  }
  const weights = known.map((domain) => given[domain]);
  const missing = known.filter((_, i) => weights[i] === undefined);
  if (missing.length > 0) {
    throw new UserError(
      "MISSING_WEIGHT",
      `The ${name} corpus has the domain "${
        missing[0]
      }", but no weight is given for it`,
      "give every domain a weight, 0 to leave it out",
    );
  }
  if (weights.every((weight) => weight === 0)) {
    throw new UserError(
      "INVALID_WEIGHT",
      `All domains of the ${name} corpus have weight 0`,
      "give one of them more",
    );
  }
  return weights.map((weight) => weight ?? 0);
}
