/** Validation losses: the same fixed windows of both corpora every time. */
import type { Corpus } from "../../data/corpus.ts";
import type { Session } from "../../engine/engine.ts";
import { UserError } from "../../errors.ts";
import type { CorpusName, EvaluationSpecification, RunSpecification } from "../../experiment/run/run.ts";
import type { CurvePoint, PerCorpus, ValidationSet } from "../../results/curves.ts";
import { CorpusValidation } from "./corpus_validation.ts";
import type { BytesPerToken } from "../journal/journal_header.ts";

/** Both corpora of a run. */
export type Corpora = Readonly<Record<CorpusName, Corpus>>;

/** Both corpora of a plan, and the mixes that some of its runs have for downstream, by their names. */
export interface PlanCorpora extends Corpora {
  readonly mixes?: Readonly<Record<string, Corpus>>;
}

/**
 * The corpora of a run of the plan.
 *
 * @throws {UserError} `MIX_NOT_GIVEN` if its mix is not among them
 */
export function corporaOf(
  { upstream, downstream, mixes = {} }: PlanCorpora,
  { corpus: { mix } }: Pick<RunSpecification, "corpus">,
): Corpora {
  if (mix === undefined) return { upstream, downstream };
  const corpus = Object.hasOwn(mixes, mix) ? mixes[mix] : undefined;
  if (corpus !== undefined) return { upstream, downstream: corpus };
  throw new UserError("MIX_NOT_GIVEN", `The mix "${mix}" is not at hand`, `give its files with --mix ${mix}=PATH`);
}

/** Mean cross-entropy of both validation sets, nats a token, and what of it is kept by domain and document. */
export type ValidationLosses = Pick<
  CurvePoint,
  "upstream" | "downstream" | "domains" | "sampledDocuments" | "documents"
>;

/** What of a run's specification its validation windows follow from. */
export type ValidationChoice = Pick<EvaluationSpecification, "windows" | "landmarkWindows">;

/** Windows read once and kept, since every run evaluates the same ones. */
export class Validation {
  private constructor(private readonly corpora: PerCorpus<CorpusValidation>) {}

  /** @throws {UserError} `TOO_FEW_VALIDATION_WINDOWS`, `TOO_MANY_DOCUMENTS` */
  static async load({ upstream, downstream }: Corpora, choice: ValidationChoice): Promise<Validation> {
    return new Validation({
      upstream: await CorpusValidation.load(upstream, choice),
      downstream: await CorpusValidation.load(downstream, choice),
    });
  }

  /** Which domains and documents the losses are of; undefined where they are not kept. */
  get sets(): PerCorpus<ValidationSet> | undefined {
    const { upstream: { set: upstream }, downstream: { set: downstream } } = this.corpora;
    return upstream === undefined || downstream === undefined ? undefined : { upstream, downstream };
  }

  /**
   * Losses under a session's weights.
   *
   * @param sequenceLength tokens of a window that are predicted
   * @param isWhole whether all windows are read too, for losses by document
   */
  async losses(session: Session, sequenceLength: number, isWhole = false): Promise<ValidationLosses> {
    const { corpora, sets } = this;
    const upstream = await corpora.upstream.sample(session, sequenceLength);
    const downstream = await corpora.downstream.sample(session, sequenceLength);
    const means = { upstream: upstream.mean, downstream: downstream.mean };
    if (sets === undefined) return means;
    const sample = {
      ...means,
      domains: { upstream: upstream.domains, downstream: downstream.domains },
      sampledDocuments: { upstream: upstream.documents, downstream: downstream.documents },
    };
    if (!isWhole) return sample;
    const documents = {
      upstream: await corpora.upstream.documents(session),
      downstream: await corpora.downstream.documents(session),
    };
    return { ...sample, documents };
  }
}

/** Validation windows of a run's corpora by how many they are; the last ones are kept. */
export class ValidationSets {
  #last: { readonly choice: string; readonly corpora: Corpora; readonly loaded: Validation } | undefined;

  /** @param corpora of a run */
  async get(corpora: Corpora, { windows, landmarkWindows = 0 }: ValidationChoice): Promise<Validation> {
    const { upstream, downstream } = corpora;
    const choice = `${windows} ${landmarkWindows}`;
    const last = this.#last;
    if (last?.choice === choice && last.corpora.upstream === upstream && last.corpora.downstream === downstream) {
      return last.loaded;
    }
    const loaded = await Validation.load(corpora, { windows, ...(landmarkWindows === 0 ? {} : { landmarkWindows }) });
    this.#last = { choice, corpora, loaded };
    return loaded;
  }
}

/** Bytes of validation text that a token stands for. */
export function bytesPerTokenOf({ upstream, downstream }: Corpora): BytesPerToken {
  const ratio = ({ summary: { bytes, tokens } }: Corpus) => bytes.validation / tokens.validation;
  return { upstream: ratio(upstream), downstream: ratio(downstream) };
}

/** Refuses a corpus whose digest is not the one that a run was planned with. */
export function requireCorpus(corpora: Corpora, name: CorpusName, digest: string): Corpus {
  const corpus = corpora[name];
  if (corpus.digest !== digest) {
    throw new UserError(
      "DIGEST_MISMATCH",
      `The ${name} corpus has the digest ${corpus.digest}, but the run was planned with ${digest}`,
      "plan again with the data at hand, or restore the data",
    );
  }
  return corpus;
}
