/** What runs cost, counted before anything starts. */
import { flopsPerToken } from "../../model/config.ts";
import { evaluationSteps, isWholeEvaluation } from "../run/evaluation.ts";
import type { PlannedRun } from "../run/run.ts";

/** Cost of one run or of several. */
export interface Cost {
  /** optimizer steps */
  readonly steps: number;
  /** tokens trained on */
  readonly tokens: number;
  /** tokens of both validation sets read by all evaluations, at most: the whole sets may have fewer windows than stated */
  readonly evaluationTokens: number;
  /** floating-point operations of training and evaluation, scores counted as the full square; forward is a third */
  readonly flops: number;
}

/** Cost of all runs of a plan, and how many arms they serve. */
export interface PlanTotals extends Cost {
  /** distinct runs */
  readonly runs: number;
  /** arms at each seed, which is more than runs where arms share one */
  readonly arms: number;
  /** tokens that would be trained on besides if every arm had its own run */
  readonly sharedTokens: number;
}

/** Tokens in an optimizer step of a run. */
export function tokensPerStep({ specification }: Pick<PlannedRun, "specification">): number {
  return specification.batchSequences * specification.model.sequenceLength;
}

/** Cost of training and evaluating one run to its end. */
export function runCost(run: Pick<PlannedRun, "specification" | "steps">): Cost {
  const { model, evaluation } = run.specification;
  const tokens = run.steps * tokensPerStep(run);
  const evaluations = evaluationSteps(evaluation, run.steps);
  const whole = evaluations.filter((step) => isWholeEvaluation(evaluation, step)).length;
  const windows = evaluations.length * evaluation.windows + whole * (evaluation.landmarkWindows ?? 0);
  const evaluationTokens = 2 * windows * model.sequenceLength;
  return {
    steps: run.steps,
    tokens,
    evaluationTokens,
    flops: flopsPerToken(model) * (tokens + evaluationTokens / 3),
  };
}

/** Cost of several runs together. */
export function totalCost(runs: readonly PlannedRun[]): PlanTotals {
  const costs = runs.map(runCost);
  const sum = (value: (cost: Cost) => number) => costs.reduce((total, cost) => total + value(cost), 0);
  const tokens = sum((cost) => cost.tokens);
  const separateTokens = runs.reduce((total, run) => {
    const alone = run.usedBy.reduce((steps, use) => steps + use.steps, 0);
    return total + Math.max(alone, run.steps) * tokensPerStep(run);
  }, 0);
  return {
    steps: sum((cost) => cost.steps),
    tokens,
    evaluationTokens: sum((cost) => cost.evaluationTokens),
    flops: sum((cost) => cost.flops),
    runs: runs.length,
    arms: runs.reduce((count, run) => count + run.usedBy.length, 0),
    sharedTokens: separateTokens - tokens,
  };
}
