/** What a caller chooses about the data. */
import type { CorpusName } from "../experiment/run/run.ts";
import type { PerSplit } from "./domain.ts";
import type { Shortage } from "./shortage.ts";
import type { OddRows } from "./text/odd_rows.ts";

/** GPT-NeoX's default seed, which shuffled the data of Pythia as well. */
export const DEFAULT_DATA_SEED = 1234;
/** Where prepared corpora are kept if the caller does not say. */
export const DEFAULT_CACHE_FOLDER = ".cache/data";

/** Where the text comes from. */
export type CorpusSource =
  /** TypeScript's library declarations and Node's, from the installed npm packages, as versions up to 0.3 mix them */
  | { readonly kind: "npm" }
  /** families of text from the installed npm packages, by their weights */
  | {
    readonly kind: "embedded";
    readonly upstream: DomainWeights;
    readonly downstream: DomainWeights;
    /** what else may stand for downstream, by name */
    readonly mixes: Readonly<Record<string, DomainWeights>>;
  }
  | { readonly kind: "files"; readonly scaleTokenizer?: ScaleTokenizer } & CorpusFiles
  /** datasets of the hub that were fetched before */
  | { readonly kind: "huggingface" } & HubCorpora;

/** A tokenizer of the hub that files are read with where they name none. */
export interface ScaleTokenizer {
  /** name of the scale, for messages */
  readonly scale: string;
  /** `owner/name` of the model whose `tokenizer.json` is used, pinned by the lockfile */
  readonly tokenizer: string;
  /** folder of downloads; `.cache/hub` if not given */
  readonly hubCache?: string;
}

/** Two datasets of the hub. */
export interface HubCorpora {
  readonly upstream: HubCorpus;
  readonly downstream: HubCorpus;
  /** `owner/name` of the model whose `tokenizer.json` is used, pinned by the lockfile; token rows are of its ids */
  readonly tokenizer: string;
  /** folder of downloads; `.cache/hub` if not given */
  readonly hubCache?: string;
}

/** A dataset and how much of it is used. */
export interface HubCorpus {
  /** `owner/name`, pinned by the lockfile */
  readonly dataset: string;
  /** tokens to be read, which say how many of its files are taken */
  readonly tokens: PerSplit;
  /** `owner/name` of a dataset that is this one's validation split, where it lies by itself; pinned as well */
  readonly validation?: string;
}

/** The user's files. */
export interface CorpusFiles {
  /** paths of `.txt`, `.jsonl`, `.jsonl.zst`, `.parquet`, or all of `.bin` with `.idx` beside, that are trained on first */
  readonly upstream: readonly string[];
  /** and after the shift */
  readonly downstream: readonly string[];
  /** path of the `tokenizer.json` of a byte-level BPE, or `bytes`; if not given the scale's own, or bytes without one */
  readonly tokenizer?: string;
}

/** Relative weight of each domain. */
export type DomainWeights = Readonly<Record<string, number>>;

/** Options of {@linkcode openCorpora} and {@linkcode describeCorpora}. */
export interface CorpusOptions {
  readonly source: CorpusSource;
  /** names of mixes that are described or opened besides; none if not given */
  readonly mixes?: readonly string[];
  /** paths of the files that make a mix, by its name, in place of what the source has by that name */
  readonly mixFiles?: Readonly<Record<string, readonly string[]>>;
  /** tokens of a window without its last target, T */
  readonly sequenceLength: number;
  /** folder of prepared corpora; `.cache/data` if not given */
  readonly cacheFolder?: string;
  /** seed of the split, of the mix and of the order of documents, from 0 to 2^53 − 1; 1234 if not given */
  readonly dataSeed?: number;
  /** ids that the model has, which must be enough for the tokenizer; any number if not given */
  readonly vocabularySize?: number;
  /** weights of the domains; their shares of the training tokens if not given */
  readonly weights?: { readonly [name in CorpusName]?: DomainWeights };
  /** training tokens of each domain that are used, from the front of its shuffled stream; all of them if not given */
  readonly domainTokens?: { readonly [name in CorpusName]?: Readonly<Record<string, number>> };
  /**
   * training samples that are read at most, steps · sequences of the longest run, 0 if not given: the order of Megatron
   * files depends on them, as far as they take more epochs; elsewhere they only tell of a shortage
   */
  readonly samples?: { readonly [name in CorpusName]?: number };
  /** the lockfile to hold the sources against; the project's own if not given */
  readonly lockFile?: string;
  readonly onProgress?: (progress: DataProgress) => void;
}

/** What is being done, for a progress view. */
export type DataProgress =
  | {
    /** `hash` reads the sources' digests, `verify` those of prepared files */
    readonly stage: "hash" | "tokenise" | "shuffle" | "verify";
    readonly corpus: CorpusName;
    readonly doneBytes: number;
    readonly totalBytes: number;
  }
  /** there is less text than the runs read, and they see some of it again */
  | { readonly stage: "shortage" } & Shortage
  /** rows of the sources were passed over, or name their domain in a form that is not read */
  | { readonly stage: "odd rows"; readonly corpus: CorpusName } & OddRows
  /** prepared files were damaged, and are made again from the sources */
  | {
    readonly stage: "rebuild";
    readonly corpus: CorpusName;
    readonly reason: string;
  };
