/** What a caller chooses about the data. */
import type { CorpusName } from "../experiment/run.ts";

/** GPT-NeoX's default seed, which shuffled the data of Pythia as well. */
export const DEFAULT_DATA_SEED = 1234;
/** Where prepared corpora are kept if the caller does not say. */
export const DEFAULT_CACHE_FOLDER = ".cache/data";

/** Where the text comes from. */
export type CorpusSource =
  /** TypeScript's library declarations and Node's, from the installed npm packages */
  | { readonly kind: "npm" }
  /** the user's files: `.txt`, `.jsonl`, `.jsonl.zst` */
  | {
    readonly kind: "files";
    readonly upstream: readonly string[];
    readonly downstream: readonly string[];
  };

/** Relative weight of each domain. */
export type DomainWeights = Readonly<Record<string, number>>;

/** Options of {@linkcode openCorpora} and {@linkcode describeCorpora}. */
export interface CorpusOptions {
  readonly source: CorpusSource;
  /** tokens of a window without its last target, T */
  readonly sequenceLength: number;
  /** folder of prepared corpora; `.cache/data` if not given */
  readonly cacheFolder?: string;
  /** seed of the split, of the mix and of the order of documents, from 0 to 2^53 − 1; 1234 if not given */
  readonly dataSeed?: number;
  readonly tokenizer?: "byte";
  /** weights of the domains; their shares of the training tokens if not given */
  readonly weights?: { readonly [name in CorpusName]?: DomainWeights };
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
  /** prepared files were damaged, and are made again from the sources */
  | {
    readonly stage: "rebuild";
    readonly corpus: CorpusName;
    readonly reason: string;
  };
