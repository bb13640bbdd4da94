/** From an arm of an experiment, in the paper's units, to the run it needs at a scale. */
import { UserError } from "../errors.ts";
import type { Digest } from "../digest/sha256.ts";
import { scheduleOf, type ScheduleSpecification } from "../schedule/catalogue.ts";
import { checkSchedule } from "../schedule/learning_rate.ts";
import { LEAST_STEPS } from "./change_scale.ts";
import { isEvaluationStep } from "./evaluation.ts";
import { armCorpus, type CorpusDigests } from "./mixes.ts";
import {
  PAPER_CHECKPOINT_STEPS,
  PAPER_DOWNSTREAM_TOKENS,
  PAPER_LANDMARK_TOKENS,
  PAPER_PRETRAINING_STEPS,
  PAPER_PRETRAINING_TOKENS,
  scaledSteps,
} from "./paper_units.ts";
import type { Readings } from "./readings.ts";
import { replayOf } from "./replay.ts";
import type { EvaluationSpecification, InitialWeights, RunKey, RunSpecification } from "./run.ts";
import type { Scale } from "./scale.ts";
import type { Arm, Experiment } from "./schema.ts";
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

/** Seeds of one repetition of all experiments. */
export interface Seeds {
  /** of the initial weights, the same for pre-training and for training from scratch */
  readonly init: number;
  /** of the order of windows in pre-training */
  readonly pretrainingOrder: number;
  /** of the order of windows in continued training: one for all arms, which therefore see the same batches */
  readonly continuingOrder: number;
}

/** A run that an arm asks for, before runs are merged. */
export interface ArmRun {
  readonly specification: RunSpecification;
  /** optimizer steps of the run that the arm looks at */
  readonly steps: number;
}

/** Pythia's seed; repetitions count on from it in thousands. */
const BASE_SEED = 1234;

/**
 * Seeds of a repetition: they change the initial weights and all orders, so that repetitions are independent from
 * pre-training on. The order of continued training differs from that of pre-training, so that a run that goes on
 * with the same corpus does not see the very batches again that its model has just been trained on in that order.
 */
export function seedsOf(seedIndex: number): Seeds {
  const base = BASE_SEED + 1000 * seedIndex;
  return { init: base, pretrainingOrder: base, continuingOrder: base + 1 };
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

/**
 * The run that an arm needs.
 *
 * @param reference how messages name the arm
 * @param arm as {@linkcode readArm} gives it
 * @param pretraining key of the pre-training run of the same seeds; arms that start at random need none
 * @throws {UserError} if the arm cannot be had at this scale
 */
export function armRun(
  arm: Arm,
  reference: string,
  context: RunContext,
  seeds: Seeds,
  pretraining?: RunKey,
): ArmRun {
  const { scale, engine, corpusDigests } = context;
  const phase = scale[arm.phase];
  const whole = arm.phase === "pretraining" ? PAPER_PRETRAINING_TOKENS : PAPER_DOWNSTREAM_TOKENS;
  const steps = scaledSteps(arm.tokens, whole, phase.steps);
  const schedule = armSchedule(arm, scaledSteps(arm.horizonTokens ?? whole, whole, phase.steps), scale);
  try {
    checkSchedule(schedule);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UserError("ARM_SCHEDULE", `Arm "${reference}" at scale "${scale.name}": ${error.message}`, undefined, {
      cause: error,
    });
  }
  const evaluation = armEvaluation(arm, scale);
  if (steps < 1 && scale.changes !== undefined) throw tooShort(reference, scale, arm.phase);
  if (steps < 1 || steps > schedule.totalSteps) {
    throw new UserError(
      "ARM_LENGTH",
      `Arm "${reference}" asks for ${arm.tokens} tokens, ${steps} steps at scale "${scale.name}", expected 1 to ` +
        `${schedule.totalSteps}`,
      "change its tokens or horizonTokens",
    );
  }
  if (!isEvaluationStep(evaluation, steps)) {
    throw new UserError(
      "ARM_END_NOT_EVALUATED",
      `Arm "${reference}" ends after ${arm.tokens} tokens (step ${steps} at scale "${scale.name}"), where nothing is ` +
        "evaluated",
      `use one of ${(arm.phase === "pretraining" ? [whole] : PAPER_LANDMARK_TOKENS).join(", ")}`,
    );
  }
  const specification: RunSpecification = {
    model: scale.model.config,
    initialWeights: armStart(arm, reference, context, seeds, pretraining),
    ...armData(arm, scale, corpusDigests),
    replay: arm.replay === undefined ? undefined : replayOf(arm.replay, schedule.totalSteps),
    orderSeed: arm.phase === "pretraining" ? seeds.pretrainingOrder : seeds.continuingOrder,
    schedule,
    scheduleDigest: context.scheduleDigest(schedule),
    optimizer: scale.optimizer,
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

function armSchedule(arm: Arm, totalSteps: number, scale: Scale): ScheduleSpecification {
  const own = scale.model.maxLearningRate;
  const maxLearningRate = arm.maxLearningRate === "minimum"
    ? own * scale.minLearningRateFraction
    : own * arm.maxLearningRate;
  const frame = {
    kind: arm.schedule,
    totalSteps,
    warmupSteps: totalSteps * arm.warmupPercent / 100,
    maxLearningRate,
    minLearningRate: maxLearningRate * scale.minLearningRateFraction,
  };
  return scheduleOf(arm.schedule).specify(frame, arm, own);
}

/** The grid depends on scale and phase only, so that the same trajectory is the same run in every experiment. */
function armEvaluation(arm: Arm, scale: Scale): EvaluationSpecification {
  const { steps, evaluation } = scale[arm.phase];
  const landmarks = arm.phase === "pretraining"
    ? PAPER_CHECKPOINT_STEPS.map((step) => scaledSteps(step, PAPER_PRETRAINING_STEPS, steps))
    : PAPER_LANDMARK_TOKENS.map((tokens) => scaledSteps(tokens, PAPER_DOWNSTREAM_TOKENS, steps));
  return { windows: scale.evaluationWindows, ...evaluation, landmarks };
}

function armStart(
  { start }: Arm,
  reference: string,
  { scale, readings, imported }: RunContext,
  seeds: Seeds,
  pretraining?: RunKey,
): InitialWeights {
  if (start.kind === "random") return { kind: "random", seed: seeds.init };
  if (imported !== undefined) return importedStart(start.step, reference, imported);
  if (pretraining === undefined) throw new Error(`Arm "${reference}" starts pre-trained, but no run was given`);
  const step = scaledSteps(start.step, PAPER_PRETRAINING_STEPS, scale.pretraining.steps);
  if (step < 1 && scale.changes !== undefined) throw tooShort(reference, scale, "pretraining");
  if (step < 1) {
    throw new UserError(
      "ARM_START",
      `Arm "${reference}" starts at step ${start.step} of pre-training, before the first step of scale ` +
        `"${scale.name}"`,
      "start it later or lengthen pretraining.steps",
    );
  }
  const optimizerState = readings["optimizer-state"] === "carried" ? { optimizerState: "carried" as const } : {};
  return { kind: "checkpoint", run: pretraining, step, ...optimizerState };
}

/** The error for a scale that was changed to have fewer steps than an arm needs. */
function tooShort(reference: string, scale: Scale, phase: "pretraining" | "continuing"): UserError {
  const { steps } = scale[phase];
  const enough = LEAST_STEPS * scale.continuing.batchSequences * scale.model.config.sequenceLength;
  return new UserError(
    phase === "pretraining" ? "ARM_START" : "ARM_LENGTH",
    `Scale "${scale.name}", changed (${(scale.changes ?? []).join(", ")}), has ${
      steps === 1 ? "1 step" : `${steps} steps`
    } of ${phase === "pretraining" ? "pre-training" : "continued training"}, too few for arm "${reference}"`,
    `give more tokens, "--tokens ${enough}" for instance` +
      (scale.continuing.batchSequences > 1 ? ', or a smaller "--batch"' : ""),
  );
}

/** Whether the plan has the corpus that an arm is trained on: of mixes it has those that chosen arms need. */
export function hasCorpus({ corpus }: Arm, { scale, corpusDigests }: RunContext): boolean {
  const { mix } = armCorpus(corpus, scale);
  return mix === undefined || corpusDigests.mixes?.[mix] !== undefined;
}

/** Whether the model that an arm starts from is among those that were imported, if they were. */
export function canStart({ start }: Arm, { imported }: RunContext): boolean {
  return start.kind === "random" || imported === undefined || imported.some(({ step }) => step === start.step);
}

/** Of an imported model the paper's own steps are counted, whatever the scale. */
function importedStart(
  step: number,
  reference: string,
  imported: readonly ImportedCheckpoint[],
): InitialWeights {
  const checkpoint = imported.find((candidate) => candidate.step === step);
  if (checkpoint !== undefined) return { kind: "imported", weights: checkpoint.weights, step };
  const known = imported.map(({ step }) => step);
  throw new UserError(
    "NO_START_CHECKPOINT",
    `Arm "${reference}" starts from step ${step} of pre-training, but only ${
      known.length === 1 ? `step ${known[0]} was` : `steps ${known.join(", ")} were`
    } given`,
    `give a folder that has step${step} too, or choose other arms with --only`,
  );
}
