/**
 * Numbers that a plan implies, as `experiments/paper.yaml` asks for them: a value of an arm's run, by itself or divided
 * by another, such as the peak rate of `max-learning-rate/2x` over that of `max-learning-rate/1x`.
 */
import { z } from "zod";
import { PAPER_PRETRAINING_STEPS } from "../experiment/scale/paper_units.ts";
import type { PlannedRun, RunSpecification } from "../experiment/run/run.ts";
import { nonEmbeddingParameterCount, parameterCount } from "../model/config.ts";
import { armReference } from "./arm_reference.ts";

/** An arm's run, as far as the arm looks at it. */
interface ArmOfRun {
  readonly specification: RunSpecification;
  /** optimizer steps of the run that the arm looks at */
  readonly steps: number;
}

type Read = (arm: ArmOfRun) => number | undefined;

/** Every value that can be read off an arm's run; `undefined` where the run has none. */
const ARM_VALUES = {
  layers: ({ specification: { model } }) => model.layers,
  hiddenSize: ({ specification: { model } }) => model.hiddenSize,
  heads: ({ specification: { model } }) => model.heads,
  parameters: ({ specification: { model } }) => parameterCount(model),
  nonEmbeddingParameters: ({ specification: { model } }) => nonEmbeddingParameterCount(model),
  vocabularySize: ({ specification: { model } }) => model.vocabularySize,
  /** tokens */
  sequenceLength: ({ specification: { model } }) => model.sequenceLength,
  beta1: ({ specification: { optimizer } }) => optimizer.beta1,
  beta2: ({ specification: { optimizer } }) => optimizer.beta2,
  epsilon: ({ specification: { optimizer } }) => optimizer.epsilon,
  weightDecay: ({ specification: { optimizer } }) => optimizer.weightDecay,
  gradientClip: ({ specification: { optimizer } }) => optimizer.gradientClip,
  batchSequences: ({ specification }) => specification.batchSequences,
  tokensPerStep: ({ specification }) => tokensPerStep(specification),
  /** optimizer steps that the arm looks at */
  steps: ({ steps }) => steps,
  /** optimizer steps of the schedule's whole horizon */
  scheduleSteps: ({ specification: { schedule } }) => schedule.totalSteps,
  scheduleTokens: ({ specification }) => specification.schedule.totalSteps * tokensPerStep(specification),
  maxLearningRate: ({ specification: { schedule } }) => schedule.maxLearningRate,
  minLearningRate: ({ specification: { schedule } }) => schedule.minLearningRate,
  warmupSteps: ({ specification: { schedule } }) => schedule.warmupSteps,
  /** step of pre-training that the run starts from */
  startStep: ({ specification: { initialWeights } }) =>
    initialWeights.kind === "random" || initialWeights.kind === "interpolation" ? undefined : initialWeights.step,
  /** steps of pre-training: the run's own, or the paper's where it starts from a model of others */
  pretrainingSteps: ({ specification: { initialWeights, schedule } }) =>
    initialWeights.kind === "random"
      ? schedule.totalSteps
      : initialWeights.kind === "imported"
      ? PAPER_PRETRAINING_STEPS
      : undefined,
  /** optimizer steps between evaluations */
  evaluationInterval: ({ specification: { evaluation } }) => evaluation.interval,
  evaluationTokens: ({ specification: { evaluation, model } }) => evaluation.windows * model.sequenceLength,
} as const satisfies Readonly<Record<string, Read>>;

/** Every value of a plan as a whole. */
const PLAN_VALUES = {
  /** repetitions of all experiments */
  seeds: (runs: readonly PlannedRun[]) => new Set(runs.flatMap((run) => run.usedBy.map((use) => use.seedIndex))).size,
  /** the least of any run: what mixes old data in is compared with runs that do not */
  replayShare: (runs: readonly PlannedRun[]) =>
    Math.min(...runs.map(({ specification: { replay } }) => (replay?.percent ?? 0) / 100)),
  /** the model has none */
  dropout: () => 0,
} as const;

const ARM_VALUE_NAMES = Object.keys(ARM_VALUES) as (keyof typeof ARM_VALUES)[];
const PLAN_VALUE_NAMES = Object.keys(PLAN_VALUES) as (keyof typeof PLAN_VALUES)[];

/** One arm, or several of which the first that has the value is read. */
const arms = z.union([armReference.transform((arm) => [arm]), z.array(armReference).min(1).max(16)]);

const armValue = z.strictObject({ value: z.enum(ARM_VALUE_NAMES), arm: arms });

/** Shape of a number of the plan in `experiments/paper.yaml`; see {@linkcode planNumber}. */
export const planNumberShape = {
  value: z.enum([...ARM_VALUE_NAMES, ...PLAN_VALUE_NAMES]),
  /** absent for a value of the whole plan */
  arm: arms.optional(),
  /** what it is divided by */
  over: armValue.optional(),
};

const planNumberSchema = z.strictObject(planNumberShape);

/** A value of an arm's run or of the plan, by itself or divided by another. */
export type PlanNumber = z.output<typeof planNumberSchema>;

/**
 * Reads a number off a plan.
 *
 * @param runs every planned run; arms of the first seed are read
 * @returns `undefined` if no named arm is planned, or none has the value
 */
export function planNumber(
  { value, arm, over }: PlanNumber,
  runs: readonly PlannedRun[],
): { readonly number: number; readonly divisor?: number } | undefined {
  const own = isPlanValue(value) ? PLAN_VALUES[value](runs) : firstValue(value, arm ?? [], runs);
  if (own === undefined) return undefined;
  if (over === undefined) return { number: own };
  const divisor = firstValue(over.value, over.arm, runs);
  return divisor === undefined ? undefined : { number: own / divisor, divisor };
}

function isPlanValue(value: PlanNumber["value"]): value is keyof typeof PLAN_VALUES {
  return Object.hasOwn(PLAN_VALUES, value);
}

function firstValue(
  value: keyof typeof ARM_VALUES,
  arms: readonly string[],
  runs: readonly PlannedRun[],
): number | undefined {
  for (const arm of arms) {
    const found = findArm(arm, runs);
    const number = found === undefined ? undefined : ARM_VALUES[value](found);
    if (number !== undefined) return number;
  }
  return undefined;
}

function findArm(reference: string, runs: readonly PlannedRun[]): ArmOfRun | undefined {
  for (const { specification, usedBy } of runs) {
    const use = usedBy.find((use) => `${use.experiment}/${use.arm}` === reference && use.seedIndex === 0);
    if (use !== undefined) return { specification, steps: use.steps };
  }
  return undefined;
}

function tokensPerStep({ batchSequences, model }: RunSpecification): number {
  return batchSequences * model.sequenceLength;
}
