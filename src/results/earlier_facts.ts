/**
 * The names that the rules of versions 0.1 and 0.2 had for numbers of the plan. Manifests of those versions carry their
 * rules, and are judged by them for good.
 */
import type { PlannedRun } from "../experiment/run/run.ts";
import { type PlanNumber, planNumber } from "./plan_number.ts";

/** A number, read only where another arm is planned too: that is how versions 0.1 and 0.2 read it. */
type EarlierFact = PlanNumber & { readonly beside?: string[] };

const ONCE = ["max-learning-rate/1x", "warmup-length/1%"];
const PRETRAINING = ["upstream/pretrain"];
const PRETRAINING_OR_IMPORTED = [
  "earlier-checkpoints/7%-warmup-1%",
  "earlier-checkpoints/19%-warmup-1%",
  "earlier-checkpoints/100%-warmup-1%",
  ...PRETRAINING,
];

const EARLIER_FACTS = {
  layers: { value: "layers", arm: ONCE },
  hiddenSize: { value: "hiddenSize", arm: ONCE },
  heads: { value: "heads", arm: ONCE },
  parameters: { value: "parameters", arm: ONCE },
  nonEmbeddingParameters: { value: "nonEmbeddingParameters", arm: ONCE },
  vocabularySize: { value: "vocabularySize", arm: ONCE },
  sequenceLength: { value: "sequenceLength", arm: ONCE },
  dropout: { value: "dropout" },
  beta1: { value: "beta1", arm: ONCE },
  beta2: { value: "beta2", arm: ONCE },
  epsilon: { value: "epsilon", arm: ONCE },
  weightDecay: { value: "weightDecay", arm: ONCE },
  gradientClip: { value: "gradientClip", arm: ONCE },
  batchSequences: { value: "batchSequences", arm: ONCE },
  tokensPerStep: { value: "tokensPerStep", arm: ONCE },
  downstreamSteps: { value: "scheduleSteps", arm: ONCE },
  downstreamTokens: { value: "scheduleTokens", arm: ONCE },
  upstreamSteps: { value: "pretrainingSteps", arm: PRETRAINING_OR_IMPORTED },
  upstreamTokens: { value: "scheduleTokens", arm: PRETRAINING },
  upstreamBatchSequences: { value: "batchSequences", arm: PRETRAINING },
  upstreamMaxLearningRate: { value: "maxLearningRate", arm: PRETRAINING },
  maxLearningRateHalf: { value: "maxLearningRate", arm: ["max-learning-rate/0.5x"], beside: ONCE },
  maxLearningRateOnce: { value: "maxLearningRate", arm: ONCE },
  maxLearningRateTwice: { value: "maxLearningRate", arm: ["max-learning-rate/2x"], beside: ONCE },
  constantLearningRate: { value: "maxLearningRate", arm: ["max-learning-rate/constant"], beside: ONCE },
  maxLearningRateHalfRatio: {
    value: "maxLearningRate",
    arm: ["max-learning-rate/0.5x"],
    over: { value: "maxLearningRate", arm: ONCE },
  },
  maxLearningRateTwiceRatio: {
    value: "maxLearningRate",
    arm: ["max-learning-rate/2x"],
    over: { value: "maxLearningRate", arm: ONCE },
  },
  constantLearningRateRatio: {
    value: "maxLearningRate",
    arm: ["max-learning-rate/constant"],
    over: { value: "maxLearningRate", arm: ONCE },
  },
  minLearningRateRatio: { value: "minLearningRate", arm: ONCE, over: { value: "maxLearningRate", arm: ONCE } },
  warmupStepsHalfPercent: { value: "warmupSteps", arm: ["warmup-length/0.5%"] },
  warmupStepsOnePercent: { value: "warmupSteps", arm: ["warmup-length/1%"] },
  warmupStepsTwoPercent: { value: "warmupSteps", arm: ["warmup-length/2%"] },
  warmupShareNone: {
    value: "warmupSteps",
    arm: ["warmup-length/0%"],
    over: { value: "scheduleSteps", arm: ["warmup-length/0%"] },
  },
  warmupShareHalfPercent: {
    value: "warmupSteps",
    arm: ["warmup-length/0.5%"],
    over: { value: "scheduleSteps", arm: ["warmup-length/0.5%"] },
  },
  warmupShareOnePercent: {
    value: "warmupSteps",
    arm: ["warmup-length/1%"],
    over: { value: "scheduleSteps", arm: ["warmup-length/1%"] },
  },
  warmupShareTwoPercent: {
    value: "warmupSteps",
    arm: ["warmup-length/2%"],
    over: { value: "scheduleSteps", arm: ["warmup-length/2%"] },
  },
  shortRunShare: {
    value: "steps",
    arm: ["warmup-length/1%"],
    over: { value: "scheduleSteps", arm: ["warmup-length/1%"] },
  },
  longRunShare: {
    value: "steps",
    arm: ["max-learning-rate/1x"],
    over: { value: "scheduleSteps", arm: ["max-learning-rate/1x"] },
  },
  earliestCheckpointStep: { value: "startStep", arm: ["earlier-checkpoints/7%-warmup-1%"] },
  earlyCheckpointStep: { value: "startStep", arm: ["earlier-checkpoints/19%-warmup-1%"] },
  lastCheckpointStep: { value: "startStep", arm: ["earlier-checkpoints/100%-warmup-1%"] },
  earliestCheckpointShare: {
    value: "startStep",
    arm: ["earlier-checkpoints/7%-warmup-1%"],
    over: { value: "pretrainingSteps", arm: ["earlier-checkpoints/7%-warmup-1%", ...PRETRAINING] },
  },
  earlyCheckpointShare: {
    value: "startStep",
    arm: ["earlier-checkpoints/19%-warmup-1%"],
    over: { value: "pretrainingSteps", arm: ["earlier-checkpoints/19%-warmup-1%", ...PRETRAINING] },
  },
  evaluationInterval: { value: "evaluationInterval", arm: ONCE },
  evaluationTokens: { value: "evaluationTokens", arm: ONCE },
  replayShare: { value: "replayShare" },
  seeds: { value: "seeds" },
} as const satisfies Readonly<Record<string, EarlierFact>>;

/** Name of a number of the plan in rules of versions 0.1 and 0.2. */
export type EarlierFactName = keyof typeof EARLIER_FACTS;

/** Every such name. */
export const EARLIER_FACT_NAMES = Object.keys(EARLIER_FACTS) as EarlierFactName[];

/** A number of the plan by its name in versions 0.1 and 0.2; as {@linkcode planNumber} gives it. */
export function earlierFact(name: EarlierFactName, runs: readonly PlannedRun[]): ReturnType<typeof planNumber> {
  const { beside, ...number }: EarlierFact = EARLIER_FACTS[name];
  const isRead = beside === undefined || planNumber({ value: "steps", arm: beside }, runs) !== undefined;
  return isRead ? planNumber(number, runs) : undefined;
}
