import assert from "node:assert/strict";
import type { PlannedRun } from "../../src/experiment/run/run.ts";
import { EARLIER_FACT_NAMES, earlierFact } from "../../src/results/earlier_facts.ts";
import { planNumber } from "../../src/results/plan_number.ts";
import { fixedPlan } from "../experiment/plan/plan_fixture.ts";

/** What version 0.2 read off scale smoke. */
const SMOKE = {
  batchSequences: 4,
  beta1: 0.9,
  beta2: 0.95,
  constantLearningRate: 0.00030000000000000003,
  constantLearningRateRatio: 0.1,
  downstreamSteps: 64,
  downstreamTokens: 8192,
  dropout: 0,
  earliestCheckpointShare: 0.0625,
  earliestCheckpointStep: 4,
  earlyCheckpointShare: 0.1875,
  earlyCheckpointStep: 12,
  epsilon: 1e-08,
  evaluationInterval: 8,
  evaluationTokens: 256,
  gradientClip: 1,
  heads: 2,
  hiddenSize: 16,
  lastCheckpointStep: 64,
  layers: 2,
  longRunShare: 0.8125,
  maxLearningRateHalf: 0.0015,
  maxLearningRateHalfRatio: 0.5,
  maxLearningRateOnce: 0.003,
  maxLearningRateTwice: 0.006,
  maxLearningRateTwiceRatio: 2,
  minLearningRateRatio: 0.1,
  nonEmbeddingParameters: 6592,
  parameters: 14784,
  replayShare: 0,
  seeds: 1,
  sequenceLength: 32,
  shortRunShare: 0.171875,
  tokensPerStep: 128,
  upstreamBatchSequences: 4,
  upstreamMaxLearningRate: 0.003,
  upstreamSteps: 64,
  upstreamTokens: 8192,
  vocabularySize: 256,
  warmupShareHalfPercent: 0.005,
  warmupShareNone: 0,
  warmupShareOnePercent: 0.01,
  warmupShareTwoPercent: 0.02,
  warmupStepsHalfPercent: 0.32,
  warmupStepsOnePercent: 0.64,
  warmupStepsTwoPercent: 1.28,
  weightDecay: 0.1,
};

function factsOf(runs: readonly PlannedRun[]) {
  const facts = EARLIER_FACT_NAMES.map((name) => [name, earlierFact(name, runs)?.number] as const);
  return Object.fromEntries(facts.filter(([, number]) => number !== undefined).sort());
}

const PAPERS = ["upstream", "warmup-length", "max-learning-rate", "from-scratch", "same-data", "earlier-checkpoints"];

Deno.test("earlierFact() gives what version 0.2 read off a plan", async () => {
  assert.deepEqual(factsOf((await fixedPlan("smoke", { only: PAPERS })).runs), SMOKE);
});

Deno.test("earlierFact() leaves out what version 0.2 left out of a part of the plan", async () => {
  const half = await fixedPlan("smoke", { only: ["max-learning-rate/0.5x"] });
  assert.deepEqual(factsOf(half.runs), { dropout: 0, replayShare: 0, seeds: 1 });
  const earlier = await fixedPlan("smoke", { only: ["earlier-checkpoints"] });
  assert.deepEqual(factsOf(earlier.runs), {
    dropout: 0,
    earliestCheckpointStep: 4,
    earlyCheckpointStep: 12,
    lastCheckpointStep: 64,
    replayShare: 0,
    seeds: 1,
  });
});

Deno.test("planNumber() reads the first arm that is planned, and divides", async () => {
  const { runs } = await fixedPlan("smoke", { only: ["max-learning-rate"] });
  const ratio = planNumber({
    value: "maxLearningRate",
    arm: ["warmup-length/1%", "max-learning-rate/2x"],
    over: { value: "maxLearningRate", arm: ["max-learning-rate/1x"] },
  }, runs);
  assert.equal(ratio?.number, 2);
  assert.equal(planNumber({ value: "startStep", arm: ["from-scratch/scratch"] }, runs), undefined);
  assert.deepEqual(planNumber({ value: "seeds" }, runs), { number: 1 });
});
