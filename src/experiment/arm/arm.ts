/** From an arm of an experiment, in the paper's units, to the run it needs at a scale. */
import { UserError } from "../../errors.ts";
import type { Digest } from "../../digest/sha256.ts";
import type { PresetModel } from "../../model/presets.ts";
import { scheduleOf, type ScheduleSpecification } from "../../schedule/catalogue.ts";
import { checkSchedule } from "../../schedule/learning_rate.ts";
import { armModel } from "./arm_model.ts";
import { armStart, tooShort } from "./arm_start.ts";
import { isEvaluationStep } from "../run/evaluation.ts";
import { armCorpus, type CorpusDigests } from "./mixes.ts";
import {
  PAPER_CHECKPOINT_STEPS,
  PAPER_DOWNSTREAM_TOKENS,
  PAPER_LANDMARK_TOKENS,
  PAPER_PRETRAINING_STEPS,
  PAPER_PRETRAINING_TOKENS,
  scaledSteps,
} from "../scale/paper_units.ts";
import type { Readings } from "../readings.ts";
import { replayOf } from "../run/replay.ts";
import type { EvaluationSpecification, RunSpecification } from "../run/run.ts";
import type { Scale } from "../scale/scale.ts";
import type { Arm, Experiment } from "../schema.ts";
import { orderSeed, type Seeds } from "../run/seeds.ts";
import type { ImportedCheckpoint } from "./start.ts";

/** What runs need besides the experiment and the scale. */
export interface RunContext {
  readonly scale: Scale;
  readonly engine: RunSpecification["engine"];
  readonly corpusDigests: CorpusDigests;
  /** how the paper's open points are read */
  readonly readings: Readings;
  /** digest of a schedule's table; thousands of runs share a few schedules */
  readonly scheduleDigest: (schedule: ScheduleSpecification) => Digest;
  /** the models that continued runs start from, if they are not trained here */
  readonly imported?: readonly ImportedCheckpoint[];
}

/** A run that an arm asks for, before runs are merged. */
export interface ArmRun {
  readonly specification: RunSpecification;
  /** optimizer steps of the run that the arm looks at */
  readonly steps: number;
}

/** An experiment's arm, with what the readings of the paper's open points change of it. */
export function readArm(arm: Arm, experiment: Pick<Experiment, "readings">, readings: Readings): Arm {
  if (arm.phase !== "continuing") return arm;
  const changes = Object.entries(experiment.readings ?? {}).map(([name, ways]) => {
    const way = Object.entries(readings).find(([chosen]) => chosen === name)?.[1];
    return way !== undefined && Object.hasOwn(ways, way) ? ways[way] : undefined;
  });
  return Object.assign({}, arm, ...changes);
}

/** The runs of other arms, by their references. */
export type FindArmRun = (reference: string) => ArmRun;

/**
 * The run that an arm needs.
 *
 * @param reference how messages name the arm
 * @param arm as {@linkcode readArm} gives it
 * @param find gives the runs that the arm starts from; arms that start at random ask for none
 * @throws {UserError} if the arm cannot be had at this scale
 */
export function armRun(
  arm: Arm,
  reference: string,
  context: RunContext,
  seeds: Seeds,
  find: FindArmRun,
): ArmRun {
  const { scale, engine, corpusDigests } = context;
  const phase = scale[arm.phase];
  const model = armModel(arm, reference, scale);
  const whole = arm.phase === "pretraining" ? PAPER_PRETRAINING_TOKENS : PAPER_DOWNSTREAM_TOKENS;
  const steps = scaledSteps(arm.tokens, whole, phase.steps);
  const schedule = armSchedule(arm, scaledSteps(arm.horizonTokens ?? whole, whole, phase.steps), scale, model);
  try {
    checkSchedule(schedule);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UserError("ARM_SCHEDULE", `Arm "${reference}" at scale "${scale.name}": ${error.message}`, undefined, {
      cause: error,
    });
  }
  const evaluation = armEvaluation(arm, scale, schedule.totalSteps);
  requireLength(arm, reference, scale, steps, { evaluation, schedule });
  const order = arm.phase === "pretraining" ? seeds.pretrainingOrder : orderSeed(seeds, arm.order ?? 0);
  const specification: RunSpecification = {
    model: model.config,
    initialWeights: armStart(arm, reference, context, seeds, find),
    ...armData(arm, scale, corpusDigests),
    replay: arm.replay === undefined ? undefined : replayOf(arm.replay, schedule.totalSteps),
    orderSeed: order,
    schedule,
    scheduleDigest: context.scheduleDigest(schedule),
    optimizer: scale.optimizer,
    penalty: arm.penalty,
    batchSequences: phase.batchSequences,
    gradientBlockSequences: scale.gradientBlockSequences,
    evaluation,
    checkpointInterval: phase.checkpointInterval,
    engine,
  };
  return { specification, steps };
}

/** What is trained on, and validated on: a mix takes downstream's place in both. */
function armData(arm: Arm, scale: Scale, digests: CorpusDigests): Pick<RunSpecification, "corpus" | "validation"> {
  const { name, mix } = armCorpus(arm.corpus, scale);
  const { upstream } = digests;
  if (mix === undefined) {
    const { downstream } = digests;
    return { corpus: { name, digest: digests[name] }, validation: { upstream, downstream } };
  }
  const digest = digests.mixes?.[mix];
  if (digest === undefined) throw new Error(`The mix "${mix}" has no digest`);
  return { corpus: { name, digest, mix }, validation: { upstream, downstream: digest } };
}

/** An arm that trains ends where it is evaluated, within its schedule; one that only evaluates ends at once. */
function requireLength(
  arm: Arm,
  reference: string,
  scale: Scale,
  steps: number,
  { evaluation, schedule }: Pick<RunSpecification, "evaluation" | "schedule">,
): void {
  if (arm.start.kind === "interpolated") return;
  if (steps < 1 && scale.changes !== undefined) throw tooShort(reference, scale, arm.phase);
  if (steps < 1 || steps > schedule.totalSteps) {
    throw new UserError(
      "ARM_LENGTH",
      `Arm "${reference}" asks for ${arm.tokens} tokens, ${steps} steps at scale "${scale.name}", expected 1 to ` +
        `${schedule.totalSteps}`,
      "change its tokens or horizonTokens",
    );
  }
  if (isEvaluationStep(evaluation, steps)) return;
  const ends = arm.phase === "pretraining" ? [arm.horizonTokens ?? PAPER_PRETRAINING_TOKENS] : PAPER_LANDMARK_TOKENS;
  throw new UserError(
    "ARM_END_NOT_EVALUATED",
    `Arm "${reference}" ends after ${arm.tokens} tokens (step ${steps} at scale "${scale.name}"), where nothing is ` +
      "evaluated",
    `use one of ${ends.join(", ")}`,
  );
}

function armSchedule(arm: Arm, totalSteps: number, scale: Scale, model: PresetModel): ScheduleSpecification {
  const own = model.maxLearningRate;
  const maxLearningRate = arm.maxLearningRate === "minimum"
    ? own * scale.minLearningRateFraction
    : own * arm.maxLearningRate;
  const frame = {
    kind: arm.schedule,
    totalSteps,
    warmupSteps: totalSteps * arm.warmupPercent / 100,
    maxLearningRate,
    minLearningRate: maxLearningRate * (arm.minLearningRateFraction ?? scale.minLearningRateFraction),
  };
  return scheduleOf(arm.schedule).specify(frame, arm, own);
}

/**
 * The grid depends on scale, phase and horizon only, so that the same trajectory is the same run in every experiment.
 * Checkpoints of pre-training that arms start from are shares of its own horizon.
 */
function armEvaluation(arm: Arm, scale: Scale, totalSteps: number): EvaluationSpecification {
  const { steps, evaluation } = scale[arm.phase];
  const further = arm.checkpointSteps ?? [];
  const landmarks = arm.phase === "pretraining"
    ? [...new Set([...PAPER_CHECKPOINT_STEPS, ...further])].sort((a, b) => a - b)
      .map((step) => scaledSteps(step, PAPER_PRETRAINING_STEPS, totalSteps))
    : PAPER_LANDMARK_TOKENS.map((tokens) => scaledSteps(tokens, PAPER_DOWNSTREAM_TOKENS, steps));
  const { evaluationWindows: windows, landmarkWindows } = scale;
  return { windows, ...(landmarkWindows === undefined ? {} : { landmarkWindows }), ...evaluation, landmarks };
}

/** Whether the plan has the corpus that an arm is trained on: of mixes it has those that chosen arms need. */
export function hasCorpus({ corpus }: Arm, { scale, corpusDigests }: RunContext): boolean {
  const { mix } = armCorpus(corpus, scale);
  return mix === undefined || corpusDigests.mixes?.[mix] !== undefined;
}
