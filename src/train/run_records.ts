/**
 * A run as the sequence of records that its journal holds. Training appends them; retraining compares them with those
 * that are there. What a step is, which comes next, and what is due after it, is said here and nowhere else.
 */
import type { Batch } from "../data/corpus.ts";
import { Mixture } from "../data/mixture.ts";
import type { Digest } from "../digest/sha256.ts";
import type { Session } from "../engine/engine.ts";
import { tokensPerStep } from "../experiment/plan/cost.ts";
import { isEvaluationStep, isStateStep, isWholeEvaluation } from "../experiment/run/evaluation.ts";
import type { PlannedRun } from "../experiment/run/run.ts";
import { type Corpora, requireCorpus, type ValidationSets } from "./evaluation/evaluation.ts";
import { evaluationRecord } from "./journal/journal_curves.ts";
import {
  type Bits,
  type DivergenceRecord,
  type JournalRecord,
  type SkipRecord,
  type StepRecord,
  toBits,
} from "./journal/journal_record.ts";
import { stateDigest } from "./checkpoint/state_digest.ts";

/** What goes into the next step, known before time is spent on it. */
export interface StepInput {
  readonly kind: "input";
  /** number of the step */
  readonly step: number;
  readonly lr: Bits;
  readonly batch: Digest;
}

/** All records of a number of steps are there, and the session holds the state after them. */
export interface StepsReached {
  readonly kind: "reached";
  /** optimizer steps done */
  readonly step: number;
}

/** A record, or what happens between two. */
export type RunEvent = JournalRecord | StepInput | StepsReached;

/** What the records are made with. */
export interface RunMeans {
  /** holds the state that the piece begins with */
  readonly session: Session;
  /** of the run */
  readonly corpora: Corpora;
  readonly validations: ValidationSets;
  /** learning rates of the schedule's steps, f32 */
  readonly rates: Float32Array;
  /** updates that Adam's moments had behind them at step 0 */
  readonly priorUpdates: number;
}

/** A piece of a run. */
export interface RunPiece {
  /** optimizer steps done where it begins, and how many of them changed the weights */
  readonly from: { readonly step: number; readonly updates: number };
  /** optimizer steps done where it ends, unless the run diverges before */
  readonly to: number;
  /** whether evaluations that are due at a step are wanted; default: all are */
  readonly evaluates?: (step: number) => boolean;
}

/**
 * The records of a piece, in the order of the journal: those of step 0 if it begins there, else those after `from`. After
 * each "reached" the consumer may stop; the batch that was read ahead is then left alone.
 *
 * @throws {UserError} if the data are not those planned, or cannot be read
 */
export async function* runRecords(
  run: Pick<PlannedRun, "specification">,
  means: RunMeans,
  { from, to, evaluates = () => true }: RunPiece,
): AsyncGenerator<RunEvent, void> {
  const { session, rates, priorUpdates } = means;
  const { specification } = run;
  let { step, updates } = from;
  const learningRate = () => rates[Math.min(updates, rates.length - 1)] ?? 0;
  const batchOf = batchesOf(run, means.corpora);
  let nextBatch = step < to ? readAhead(batchOf, step) : undefined;
  let isRecorded = step > 0;
  while (true) {
    if (!isRecorded && isStateStep(specification, step)) {
      const state = stateDigest(await session.readState(), step, step * specification.batchSequences);
      yield { kind: "state", step, state };
    }
    if (!isRecorded && evaluates(step) && isEvaluationStep(specification.evaluation, step)) {
      const { evaluation, model } = specification;
      const validation = await means.validations.get(means.corpora, evaluation);
      const losses = await validation.losses(session, model.sequenceLength, isWholeEvaluation(evaluation, step));
      yield evaluationRecord({ step, tokens: step * tokensPerStep(run), learningRate: learningRate(), ...losses });
    }
    yield { kind: "reached", step };
    if (nextBatch === undefined) return;
    const batch = await nextBatch;
    nextBatch = step + 1 < to ? readAhead(batchOf, step + 1) : undefined;
    const rate = learningRate();
    yield { kind: "input", step, lr: toBits(rate), batch: batch.digest };
    const record = await trainStep(session, step, batch, rate, priorUpdates + updates);
    yield record;
    if (record.kind === "divergence") return;
    if (record.kind === "step") updates++;
    step++;
    isRecorded = false;
  }
}

/** The batch of any step of a run. */
function batchesOf(
  { specification }: Pick<PlannedRun, "specification">,
  corpora: Corpora,
): (step: number) => Promise<Batch> {
  const { corpus, replay, validation, orderSeed, batchSequences } = specification;
  const own = requireCorpus(corpora, corpus.name, corpus.digest);
  if (replay === undefined) return (step) => own.batch(step, batchSequences, orderSeed);
  const mixture = new Mixture(
    replay,
    own,
    requireCorpus(corpora, "upstream", validation.upstream),
    batchSequences,
  );
  return (step) => mixture.batch(step, orderSeed);
}

/** A step's batch. When a run stops, the one that nobody waits for any more may fail unheard. */
function readAhead(batchOf: (step: number) => Promise<Batch>, step: number): Promise<Batch> {
  const batch = batchOf(step);
  batch.catch(() => {});
  return batch;
}

/**
 * One optimizer step.
 *
 * @param learningRate f32
 * @param updates made before it, for Adam's bias correction
 */
async function trainStep(
  session: Session,
  step: number,
  { tokens, digest: batch }: Batch,
  learningRate: number,
  updates: number,
): Promise<StepRecord | SkipRecord | DivergenceRecord> {
  const { loss, gradientNorm, outcome } = await session.step(tokens, learningRate, updates);
  switch (outcome) {
    case "updated":
      return {
        kind: "step",
        step,
        lr: toBits(learningRate),
        loss: toBits(loss),
        gradientNorm: toBits(gradientNorm),
        batch,
      };
    case "skipped":
      return { kind: "skip", step, skipped: "gradient", loss: toBits(loss), batch };
    case "diverged":
      return Number.isFinite(loss)
        ? { kind: "divergence", step, divergence: "gradientNorm", value: toBits(gradientNorm), batch }
        : { kind: "divergence", step, divergence: "loss", value: toBits(loss), batch };
  }
}
