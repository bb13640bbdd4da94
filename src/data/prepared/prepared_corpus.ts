/** A corpus over prepared files: windows cut from the token streams of its domains, shuffled and blended. */
import { Permutation } from "../../arithmetic/permutation.ts";
import { STREAM } from "../../arithmetic/streams.ts";
import { UserError } from "../../errors.ts";
import type { CorpusName } from "../../experiment/run/run.ts";
import { Blend } from "../blend.ts";
import type { Batch, Corpus, CorpusSummary, ValidationWindows } from "../corpus.ts";
import { domainWord, type Split } from "../domain.ts";
import { domainWeights } from "../domain_weights.ts";
import type { Ingredients } from "../text_ingredients.ts";
import type { DomainWeights } from "../options.ts";
import { VALIDATION_MARK } from "../source_files.ts";
import { collectWindows, requireWhole, windowsIn } from "../windows.ts";
import type { PreparedFolder } from "./cache.ts";
import type { PreparedManifest } from "./manifest.ts";
import { drawValidation, wholeValidation } from "./validation_windows.ts";
import { WindowStream } from "./window_stream.ts";

type PreparedDomain = PreparedManifest["domains"][number];

/** A domain that takes part in the blend. */
interface OpenDomain {
  readonly name: string;
  readonly word: number;
  readonly train: WindowStream;
  readonly validation: WindowStream;
  /** the order of its windows in the epoch that was last asked for */
  order: {
    readonly seed: number;
    readonly epoch: number;
    readonly windows: Permutation;
  } | null;
}

/** {@linkcode Corpus} over a verified prepared folder. */
export class PreparedCorpus implements Corpus {
  readonly name: CorpusName;
  readonly digest: Corpus["digest"];
  readonly summary: CorpusSummary;
  readonly #sequenceLength: number;
  readonly #domains: readonly OpenDomain[];
  readonly #weights: readonly number[];
  readonly #blend: Blend;

  /**
   * @param weights of the domains; their shares of the training tokens if not given
   * @param domainTokens training tokens of each domain that are used; all of them if not given
   * @throws {UserError} `CORPUS_TOO_SHORT` if a split has no window; as {@linkcode domainWeights} throws
   */
  constructor(
    ingredients: Ingredients,
    prepared: PreparedFolder,
    sequenceLength: number,
    weights?: DomainWeights,
    domainTokens?: Readonly<Record<string, number>>,
  ) {
    this.name = ingredients.name;
    this.digest = ingredients.digest;
    this.#sequenceLength = sequenceLength;
    const { domains, oddRows } = prepared.manifest;
    // The documents are in a random order: the front of a stream is a random sub-sample.
    const used = (domain: PreparedDomain, split: Split) =>
      Math.min(domain[split].tokens, split === "train" ? domainTokens?.[domain.name] ?? Infinity : Infinity);
    const windows = (split: Split) =>
      domains.reduce((total, domain) => total + windowsIn(used(domain, split), sequenceLength), 0);
    const sum = (split: Split, of: "documents" | "tokens" | "textBytes") =>
      domains.reduce((total, domain) => total + domain[split][of], 0);
    const both = (of: (split: Split) => number) => ({
      train: of("train"),
      validation: of("validation"),
    });
    for (const split of ["train", "validation"] as const) {
      if (windows(split) === 0) {
        const isAllValidation = ingredients.sources.every(({ name }) => name.includes(VALIDATION_MARK));
        throw isAllValidation && split === "train"
          ? onlyValidation(ingredients)
          : tooShort(this.name, split, sum(split, "tokens"), sequenceLength);
      }
    }
    // A domain shorter than a window cannot be drawn from; its tokens stand in the summary all the same.
    const usable = domains.filter((domain) => windowsIn(used(domain, "train"), sequenceLength) > 0);
    const shares = domainWeights(
      this.name,
      weights,
      usable.map((domain) => ({ name: domain.name, tokens: used(domain, "train") })),
    );
    // GPT-NeoX's rule would let a domain of weight 0 win a tie.
    const drawn = usable.filter((_, i) => shares[i] !== 0);
    this.#blend = new Blend(shares.filter((share) => share !== 0));
    this.#weights = this.#blend.weights;
    this.summary = {
      documents: both((split) => sum(split, "documents")),
      tokens: both((split) => sum(split, "tokens")),
      bytes: both((split) => sum(split, "textBytes")),
      windows: both(windows),
      domains: Object.fromEntries(drawn.map(({ name }, i) => [name, this.#weights[i] ?? 0])),
      oddRows,
    };
    this.#domains = drawn.map((domain) => {
      const { name } = domain;
      const open = (split: Split) =>
        new WindowStream(prepared.folder, domain[split], used(domain, split), sequenceLength);
      return { name, word: domainWord(name), train: open("train"), validation: open("validation"), order: null };
    });
  }

  // deno-lint-ignore require-await
  async batch(
    step: number,
    sequences: number,
    orderSeed: number,
  ): Promise<Batch> {
    requireWhole("Step", step, 0);
    requireWhole("Number of sequences", sequences, 1);
    requireWhole("Order seed", orderSeed, 0);
    const samples = this.#blend.range(step * sequences, sequences);
    return collectWindows(sequences, this.#sequenceLength + 1, (i, into) => {
      const domain = this.#domains[samples.domains[i] ?? 0];
      const sample = samples.indices[i] ?? 0;
      if (domain === undefined) {
        throw new Error("The blend named a domain that is not there");
      }
      const epoch = Math.floor(sample / domain.train.count);
      domain.train.read(
        windowOrder(domain, orderSeed, epoch).at(sample % domain.train.count),
        into,
      );
    });
  }

  // deno-lint-ignore require-await
  async validationWindows(windows: number): Promise<ValidationWindows> {
    return drawValidation(this.name, this.#domains, this.#weights, windows, this.#sequenceLength);
  }

  // deno-lint-ignore require-await
  async wholeValidation(most: number): Promise<ValidationWindows> {
    return wholeValidation(this.#domains, this.#weights, most, this.#sequenceLength);
  }

  close(): void {
    for (const { train, validation } of this.#domains) {
      train.close();
      validation.close();
    }
  }
}

/** The permutation of a domain's windows in an epoch. */
function windowOrder(
  domain: OpenDomain,
  seed: number,
  epoch: number,
): Permutation {
  if (domain.order?.seed !== seed || domain.order.epoch !== epoch) {
    const windows = new Permutation(domain.train.count, seed, [
      epoch >>> 0,
      domain.word,
      STREAM.windowOrder,
    ]);
    domain.order = { seed, epoch, windows };
  }
  return domain.order.windows;
}

function onlyValidation({ name, sources }: Ingredients): UserError {
  return new UserError(
    "CORPUS_TOO_SHORT",
    `The ${name} corpus has no text to train on: ${
      sources.length === 1 ? `"${sources[0]?.name}" is` : `all its ${sources.length} files are`
    } for validation, as "${VALIDATION_MARK}" in the name says`,
    "give others too, or rename them",
  );
}

function tooShort(
  name: CorpusName,
  split: Split,
  tokens: number,
  sequenceLength: number,
): UserError {
  return new UserError(
    "CORPUS_TOO_SHORT",
    `The ${name} corpus has no ${split} window: its domains hold ${tokens} ${split} tokens, and a window needs ` +
      `${sequenceLength + 1} of one domain`,
    split === "train"
      ? "give more text, or a shorter sequence length (--context)"
      : 'give more text, a shorter sequence length (--context), or a validation file named like "name.val.jsonl"',
  );
}
