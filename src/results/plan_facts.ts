/** Numbers that the plan implies, by the names under which `experiments/paper.yaml` compares them with the paper's. */
import { PAPER_PRETRAINING_STEPS } from "../experiment/paper_units.ts";
import type { PlannedRun } from "../experiment/run.ts";
import { nonEmbeddingParameterCount, parameterCount } from "../model/config.ts";

/** Every fact that a setup number of `experiments/paper.yaml` may name. */
export const FACT_NAMES = [
  "layers",
  "hiddenSize",
  "heads",
  "parameters",
  "nonEmbeddingParameters",
  "vocabularySize",
  "sequenceLength",
  "dropout",
  "beta1",
  "beta2",
  "epsilon",
  "weightDecay",
  "gradientClip",
  "batchSequences",
  "tokensPerStep",
  "downstreamSteps",
  "downstreamTokens",
  "upstreamSteps",
  "upstreamTokens",
  "upstreamBatchSequences",
  "upstreamMaxLearningRate",
  "maxLearningRateHalf",
  "maxLearningRateOnce",
  "maxLearningRateTwice",
  "constantLearningRate",
  "maxLearningRateHalfRatio",
  "maxLearningRateTwiceRatio",
  "constantLearningRateRatio",
  "minLearningRateRatio",
  "warmupStepsHalfPercent",
  "warmupStepsOnePercent",
  "warmupStepsTwoPercent",
  "warmupShareNone",
  "warmupShareHalfPercent",
  "warmupShareOnePercent",
  "warmupShareTwoPercent",
  "shortRunShare",
  "longRunShare",
  "earliestCheckpointStep",
  "earlyCheckpointStep",
  "lastCheckpointStep",
  "earliestCheckpointShare",
  "earlyCheckpointShare",
  "evaluationInterval",
  "evaluationTokens",
  "replayShare",
  "seeds",
] as const;

/** Name of a number that the plan implies. */
export type FactName = typeof FACT_NAMES[number];

/** Numbers that the plan implies; those of arms that are not planned are missing. */
export type PlanFacts = ReadonlyMap<FactName, number>;

/**
 * Reads the facts off a plan.
 *
 * @param runs every planned run; arms of the first seed are read
 */
export function planFacts(runs: readonly PlannedRun[]): PlanFacts {
  const facts = new Map<FactName, number>();
  const arm = (experiment: string, name: string) => {
    for (const { specification, usedBy } of runs) {
      const use = usedBy.find((use) => use.experiment === experiment && use.arm === name && use.seedIndex === 0);
      if (use !== undefined) return { ...specification, steps: use.steps };
    }
    return undefined;
  };
  const seeds = new Set(runs.flatMap((run) => run.usedBy.map((use) => use.seedIndex)));
  facts.set("seeds", seeds.size);
  facts.set("replayShare", 0); // every run trains on one corpus
  facts.set("dropout", 0); // the model has none

  const upstream = arm("upstream", "pretrain");
  if (upstream !== undefined) {
    const { schedule, batchSequences, model } = upstream;
    facts.set("upstreamSteps", schedule.totalSteps);
    facts.set("upstreamBatchSequences", batchSequences);
    facts.set("upstreamTokens", schedule.totalSteps * batchSequences * model.sequenceLength);
    facts.set("upstreamMaxLearningRate", schedule.maxLearningRate);
  }

  const once = arm("max-learning-rate", "1x") ?? arm("warmup-length", "1%");
  if (once !== undefined) {
    const { model, optimizer, schedule, batchSequences, evaluation } = once;
    facts.set("layers", model.layers);
    facts.set("hiddenSize", model.hiddenSize);
    facts.set("heads", model.heads);
    facts.set("parameters", parameterCount(model));
    facts.set("nonEmbeddingParameters", nonEmbeddingParameterCount(model));
    facts.set("vocabularySize", model.vocabularySize);
    facts.set("sequenceLength", model.sequenceLength);
    facts.set("beta1", optimizer.beta1);
    facts.set("beta2", optimizer.beta2);
    facts.set("epsilon", optimizer.epsilon);
    facts.set("weightDecay", optimizer.weightDecay);
    facts.set("gradientClip", optimizer.gradientClip);
    const tokensPerStep = batchSequences * model.sequenceLength;
    facts.set("batchSequences", batchSequences);
    facts.set("tokensPerStep", tokensPerStep);
    facts.set("downstreamSteps", schedule.totalSteps);
    facts.set("downstreamTokens", schedule.totalSteps * tokensPerStep);
    facts.set("maxLearningRateOnce", schedule.maxLearningRate);
    facts.set("minLearningRateRatio", schedule.minLearningRate / schedule.maxLearningRate);
    facts.set("evaluationInterval", evaluation.interval);
    facts.set("evaluationTokens", evaluation.windows * model.sequenceLength);
    const rates = [["0.5x", "maxLearningRateHalf", "maxLearningRateHalfRatio"], [
      "2x",
      "maxLearningRateTwice",
      "maxLearningRateTwiceRatio",
    ], ["constant", "constantLearningRate", "constantLearningRateRatio"]] as const;
    for (const [name, absolute, ratio] of rates) {
      const rate = arm("max-learning-rate", name)?.schedule.maxLearningRate;
      if (rate === undefined) continue;
      facts.set(absolute, rate);
      facts.set(ratio, rate / schedule.maxLearningRate);
    }
  }

  const warmups = [
    ["0%", undefined, "warmupShareNone"],
    ["0.5%", "warmupStepsHalfPercent", "warmupShareHalfPercent"],
    ["1%", "warmupStepsOnePercent", "warmupShareOnePercent"],
    ["2%", "warmupStepsTwoPercent", "warmupShareTwoPercent"],
  ] as const;
  for (const [name, absolute, share] of warmups) {
    const schedule = arm("warmup-length", name)?.schedule;
    if (schedule === undefined) continue;
    if (absolute !== undefined) facts.set(absolute, schedule.warmupSteps);
    facts.set(share, schedule.warmupSteps / schedule.totalSteps);
  }

  const short = arm("warmup-length", "1%");
  if (short !== undefined) facts.set("shortRunShare", short.steps / short.schedule.totalSteps);
  const long = arm("max-learning-rate", "1x");
  if (long !== undefined) facts.set("longRunShare", long.steps / long.schedule.totalSteps);

  const checkpoints = [
    ["7%-warmup-1%", "earliestCheckpointStep", "earliestCheckpointShare"],
    ["19%-warmup-1%", "earlyCheckpointStep", "earlyCheckpointShare"],
    ["100%-warmup-1%", "lastCheckpointStep", undefined],
  ] as const;
  for (const [name, absolute, share] of checkpoints) {
    const start = arm("earlier-checkpoints", name)?.initialWeights;
    if (start === undefined || start.kind === "random") continue;
    facts.set(absolute, start.step);
    // Of an imported model the paper's own steps are counted.
    if (start.kind === "imported") facts.set("upstreamSteps", PAPER_PRETRAINING_STEPS);
    const whole = facts.get("upstreamSteps");
    if (share !== undefined && whole !== undefined) facts.set(share, start.step / whole);
  }
  return facts;
}
