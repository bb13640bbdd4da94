/** Ingredients of a corpus of Megatron files, `.bin` with `.idx` beside, that is read in GPT-NeoX's order. */
import { canonicalJson } from "../../digest/canonical_json.ts";
import { type Digest, sha256 } from "../../digest/sha256.ts";
import { UserError } from "../../errors.ts";
import type { CorpusName } from "../../experiment/run/run.ts";
import { digestFile } from "../../files/file_digest.ts";
import type { Split } from "../domain.ts";
import { domainWeights } from "../domain_weights.ts";
import type { Settings, SourceDigest } from "../text_ingredients.ts";
import { MegatronIndex } from "../../formats/megatron/index.ts";
import type { DomainWeights } from "../options.ts";
import { nameOf } from "../../files/durable.ts";
import { type DigestedFile, digestSources, sizeOf, VALIDATION_MARK } from "../source_files.ts";
import type { Tokenizer } from "../../formats/tokenizer.ts";
import { blendShares } from "./blending.ts";
import { type DocumentRange, epochsNeeded } from "./index_mapping.ts";
import { splitDocuments } from "./split.ts";

/** Counts changes in what the same files and options give. */
const FORMAT_VERSION = 1;
const ENDING = ".bin";
/** GPT-NeoX keeps a dataset's number in 8 bits, and the last of them free. */
const MAX_SETS = 254;

/** A dataset's part in a split. */
export interface MegatronSet {
  /** name of the file without endings, which is its domain */
  readonly name: string;
  /** path without the ending */
  readonly path: string;
  /** those that belong to the split */
  readonly documents: DocumentRange;
  /** of these documents */
  readonly tokens: number;
  /** relative to the others of its split, above 0 */
  readonly weight: number;
  /**
   * Samples for which its order is built. GPT-NeoX has half a percent in reserve, but not where one dataset is divided
   * and there is nothing to blend. Validation is at most one epoch.
   */
  readonly samples: number;
}

/** A corpus of Megatron files before it is opened. */
export interface MegatronIngredients {
  /** of the corpus */
  readonly name: CorpusName;
  /** of all that determines the batches */
  readonly digest: Digest;
  /** each `.bin` and its `.idx` */
  readonly sources: readonly SourceDigest[];
  /** of each split, in the order of the files */
  readonly sets: Readonly<Record<Split, readonly MegatronSet[]>>;
  /** training samples that are read at most */
  readonly samples: number;
  /** tokens of a window without its last target, T */
  readonly sequenceLength: number;
  /** seed of the validation sets' order */
  readonly dataSeed: number;
  /** says how much text a token stands for */
  readonly tokenizer: Tokenizer;
}

/**
 * Whether paths are those of Megatron files.
 *
 * @throws {UserError} `MIXED_FORMATS` if some are and some are not
 */
export function areMegatronFiles(name: CorpusName, paths: readonly string[]): boolean {
  const isBinary = (path: string) => path.endsWith(ENDING);
  const text = paths.find((path) => !isBinary(path));
  const binary = paths.find(isBinary);
  if (binary === undefined) return false;
  if (text === undefined) return true;
  throw new UserError(
    "MIXED_FORMATS",
    `The ${name} corpus has both tokens ("${binary}") and text ("${text}")`,
    "give one kind, or tokenise the text into .bin and .idx",
  );
}

/**
 * Reads the files' digests and holds them against the lockfile.
 *
 * @param paths of the `.bin`
 * @throws {UserError} `MISSING_INDEX`, `DUPLICATE_SOURCE`, `DIGEST_MISMATCH`, `DAMAGED_DATASET`,
 * `CORPUS_TOO_SHORT`, and as {@linkcode domainWeights} throws
 */
export async function megatronIngredients(
  name: CorpusName,
  paths: readonly string[],
  settings: Settings,
): Promise<MegatronIngredients> {
  const { options, tokenizer, dataSeed } = settings;
  const samples = options.samples?.[name] ?? 0;
  const sources = await digestPairs(name, paths, settings);
  const { train, validation } = setsOf(name, paths, options.weights?.[name]);
  const { sequenceLength } = options;
  const reserved = blendShares(train.map(({ weight }) => weight), samples).samples;
  const sets = {
    train: train.map((set, i) => ({ ...set, samples: paths.length > 1 ? reserved[i] ?? 0 : samples })),
    validation,
  };
  const described = (split: readonly MegatronSet[]) =>
    split.map(({ name, path, documents: { first, end }, tokens, weight, samples }) => ({
      name,
      file: paths.indexOf(path + ENDING),
      documents: [first, end],
      weight,
      // All that the order depends on of the number of samples.
      epochs: epochsNeeded(tokens, sequenceLength, samples),
    }));
  const specification = {
    format: FORMAT_VERSION,
    source: { kind: "megatron", files: sources.map(({ sha256 }) => sha256) },
    order: "gpt-neox",
    train: described(sets.train),
    validation: described(sets.validation),
    sequenceLength,
    dataSeed,
  };
  const digest = sha256(canonicalJson(specification));
  return { name, digest, sources, sets, samples, sequenceLength, dataSeed, tokenizer };
}

/** The digests of each `.bin` and its `.idx`, in the order of the paths. */
async function digestPairs(
  name: CorpusName,
  paths: readonly string[],
  settings: Settings,
): Promise<SourceDigest[]> {
  const files = paths.flatMap((path) => [path, indexOf(path)]);
  // Datasets with documents of the same lengths have the same index.
  const isIndex = ({ path }: DigestedFile) => !path.endsWith(ENDING);
  const sources = await digestSources(name, files, settings, inspect, isIndex);
  return sources.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 }));
}

async function inspect(path: string, onBytes: (bytes: number) => void): Promise<DigestedFile> {
  if (path.endsWith(ENDING) && await sizeOf(path) !== undefined && await sizeOf(indexOf(path)) === undefined) {
    throw new UserError(
      "MISSING_INDEX",
      `"${path}" has no "${nameOf(indexOf(path))}" beside it`,
      "give both files as the tokenisation left them; rows of tokens without an index are read from the hub alone",
    );
  }
  let bytes = 0;
  const sha256 = await digestFile(path, {
    onBytes: ({ length }) => {
      bytes += length;
      onBytes(length);
    },
  });
  return { path, name: nameOf(path), bytes, sha256 };
}

function indexOf(path: string): string {
  return `${path.slice(0, -ENDING.length)}.idx`;
}

/** Tokens of consecutive sequences. */
function tokensIn(index: MegatronIndex, { first, end }: DocumentRange): number {
  if (end <= first) return 0;
  const last = index.place(end - 1);
  return last.start + last.length - index.place(first).start;
}

/** The sets of both splits: the files whose names say so, or each file divided by GPT-NeoX's default. */
function setsOf(
  name: CorpusName,
  paths: readonly string[],
  given: DomainWeights | undefined,
): Readonly<Record<Split, MegatronSet[]>> {
  const sets: Record<Split, MegatronSet[]> = { train: [], validation: [] };
  const hasValidation = paths.some((path) => nameOf(path).includes(VALIDATION_MARK));
  for (const path of paths) {
    const index = MegatronIndex.open(indexOf(path));
    try {
      const isValidation = nameOf(path).includes(VALIDATION_MARK);
      const whole = { first: 0, end: index.sequences };
      const { train, validation } = splitDocuments(index.sequences);
      const ranges: [Split, DocumentRange][] = hasValidation
        ? [[isValidation ? "validation" : "train", whole]]
        : [["train", train], ["validation", validation]];
      // The mark is no part of the name.
      const set = nameOf(path).replace(VALIDATION_MARK, ".").slice(0, -ENDING.length);
      for (const [split, documents] of ranges) {
        const tokens = tokensIn(index, documents);
        sets[split].push({
          name: set,
          path: path.slice(0, -ENDING.length),
          documents,
          tokens,
          weight: tokens,
          samples: 0,
        });
      }
    } finally {
      index.close();
    }
  }
  const names = [...new Set([...sets.train, ...sets.validation].map((set) => set.name))];
  const weights = domainWeights(name, given, names.map((name) => ({ name, tokens: 1 })));
  for (const split of ["train", "validation"] as const) {
    requireDistinct(name, split, sets[split]);
    const weighed = sets[split].map((set) => ({
      ...set,
      weight: given === undefined ? set.tokens : weights[names.indexOf(set.name)] ?? 0,
    }));
    // GPT-NeoX would let a set of weight 0 win a tie, and asks for no samples of it.
    sets[split] = weighed.filter(({ tokens, weight }) => tokens > 0 && weight > 0);
    if (sets[split].length === 0) throw tooShort(name, split, hasValidation);
  }
  return sets;
}

function requireDistinct(name: CorpusName, split: Split, sets: readonly MegatronSet[]): void {
  if (sets.length > MAX_SETS) {
    throw new UserError(
      "TOO_MANY_DATASETS",
      `The ${name} corpus has ${sets.length} ${split} sets, and at most ${MAX_SETS} can be blended`,
      "merge some",
    );
  }
  for (const [i, set] of sets.entries()) {
    const twin = sets.slice(0, i).find((other) => other.name === set.name);
    if (twin === undefined) continue;
    throw new UserError(
      "DUPLICATE_SOURCE",
      `"${twin.path}${ENDING}" and "${set.path}${ENDING}" of the ${name} corpus have the same name`,
      "give each dataset a name of its own",
    );
  }
}

function tooShort(name: CorpusName, split: Split, hasValidation: boolean): UserError {
  return new UserError(
    "CORPUS_TOO_SHORT",
    `The ${name} corpus has no ${split} tokens` +
      (hasValidation ? "" : " after its documents were divided 969 : 30 : 1"),
    split === "train" ? "give more text" : 'give more text, or a validation set named like "name.val.bin"',
  );
}
