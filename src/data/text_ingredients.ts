/** What a corpus is made of, known before anything is tokenised: its sources' digests, and its own made of them. */
import { canonicalJson, type Json } from "../digest/canonical_json.ts";
import { type Digest, sha256 } from "../digest/sha256.ts";
import type { CorpusName } from "../experiment/run/run.ts";
import type { DataLock } from "./data_lock.ts";
import type { PerSplit, SourceDocument } from "./domain.ts";
import type { CorpusOptions, DomainWeights } from "./options.ts";
import type { OnOddRow } from "./text/odd_rows.ts";
import type { Tokenizer } from "../formats/tokenizer.ts";

/** Counts changes in what the same sources and options give: windows, order, blending, files. */
const FORMAT_VERSION = 1;

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
  /** of the domains, where they are the source's own and not an option */
  readonly weights?: DomainWeights;
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
    onOddRow?: OnOddRow,
  ): AsyncIterable<SourceDocument> | Iterable<SourceDocument>;
}

/** What the two corpora have in common, checked. */
export interface Settings {
  readonly options: CorpusOptions;
  readonly tokenizer: Tokenizer;
  readonly dataSeed: number;
  readonly lock: DataLock;
}

/**
 * The two digests of a corpus: of its prepared files, and of its batches.
 *
 * @param source what the text is, by digests
 * @param split how validation documents are told from training documents
 * @param weights of the domains; those of the options if not given, null for their shares of the tokens
 */
export function corpusDigests(
  name: CorpusName,
  source: Json,
  split: Json,
  settings: Settings,
  weights: DomainWeights | null = settings.options.weights?.[name] ?? null,
): [prepared: Digest, batches: Digest] {
  const { options, tokenizer, dataSeed } = settings;
  const prepared = {
    format: FORMAT_VERSION,
    source,
    split,
    tokenizer: tokenizer.specification,
    dataSeed,
  };
  const domainTokens = options.domainTokens?.[name];
  return [
    sha256(canonicalJson(prepared)),
    sha256(
      canonicalJson({
        ...prepared,
        weights: weights ?? "token shares",
        domainTokens,
        sequenceLength: options.sequenceLength,
      }),
    ),
  ];
}
