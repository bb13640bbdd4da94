/** How fast this machine is, from a few steps on random tokens, so that the plan can say how long it will take. */
import type { Engine } from "../engine/engine.ts";
import { runCost, tokensPerStep } from "../experiment/plan/cost.ts";
import { isEvaluationStep, isWholeEvaluation } from "../experiment/run/evaluation.ts";
import type { Plan } from "../experiment/plan/plan.ts";
import type { PlannedRun } from "../experiment/run/run.ts";
import { initializeWeights } from "../model/initial_weights.ts";
import type { FileSystem } from "../files/file_system.ts";
import type { FinishedRuns } from "../train/folder/finished_runs.ts";
import { RunFolder } from "../train/folder/run_folder.ts";
import { sessionOptions } from "../train/session_pool.ts";

/** Time in which the machine code of the kernels becomes the optimised one. */
const WARMUP_SECONDS = 0.6;
const MEASURED_SECONDS = 0.6;
/** A forward pass without a backward one costs a third of a step. */
const EVALUATION_SHARE = 1 / 3;

/** What was measured, and what follows for the plan. */
export interface Calibration {
  /** training speed; undefined if nothing is left to train */
  readonly tokensPerSecond?: number;
  /** tokens that are still to be trained on, evaluations counted at a third */
  readonly remainingTokens: number;
  /** of training and evaluation at that speed; 0 if nothing is left */
  readonly expectedSeconds: number;
  /** runs that are done already */
  readonly finishedRuns: number;
  /** resident bytes of the process at its peak, predicted */
  readonly peakBytes: number;
}

/** Tokens of a run beyond a step, evaluations counted at a third of a training token. */
function remainingTokens(run: PlannedRun, done: number): number {
  const { evaluation, model } = run.specification;
  let windows = 0;
  for (let step = done; step <= run.steps; step++) {
    if (isEvaluationStep(evaluation, step, run.steps)) windows += evaluation.windows;
    if (isWholeEvaluation(evaluation, step)) windows += evaluation.landmarkWindows ?? 0;
  }
  const evaluationTokens = 2 * windows * model.sequenceLength;
  return (run.steps - done) * tokensPerStep(run) + evaluationTokens * EVALUATION_SHARE;
}

/**
 * Looks at what is done already, and times a few steps of the first run that is not.
 *
 * @param output the plan's output folder
 * @param finished which of its runs are done
 */
export async function calibrate(
  plan: Plan,
  engine: Engine,
  output: string,
  finished: FinishedRuns,
  files?: FileSystem,
): Promise<Calibration> {
  let remaining = 0;
  let finishedRuns = 0;
  let first: PlannedRun | undefined;
  let peakBytes = 0;
  for (const run of plan.runs) {
    peakBytes = Math.max(peakBytes, engine.peakBytes(sessionOptions(run)));
    const folder = new RunFolder(output, run.label, files);
    if ((await finished.find(run)).kind === "finished") {
      finishedRuns++;
      continue;
    }
    first ??= run;
    const [newest = 0] = (await folder.checkpointSteps()).filter((step) => step <= run.steps);
    remaining += remainingTokens(run, newest);
  }
  const common = { remainingTokens: remaining, finishedRuns, peakBytes };
  if (first === undefined) return { ...common, expectedSeconds: 0 };
  const tokensPerSecond = await measureSpeed(first, engine);
  return { ...common, tokensPerSecond, expectedSeconds: remaining / tokensPerSecond };
}

/** Training speed of a run's shape, tokens a second. */
export async function measureSpeed(run: PlannedRun, engine: Engine): Promise<number> {
  const { model, batchSequences } = run.specification;
  const session = await engine.open(sessionOptions(run));
  try {
    await session.writeState(({ weights }) => initializeWeights(model, 0, weights));
    const tokens = Uint16Array.from(
      { length: batchSequences * (model.sequenceLength + 1) },
      (_, i) => (i * 7919) % model.vocabularySize,
    );
    let step = 0;
    const trainFor = async (seconds: number): Promise<number> => {
      const first = step;
      const start = performance.now();
      let elapsed = 0;
      do {
        await session.step(tokens, 1e-4, step++);
        elapsed = (performance.now() - start) / 1000;
      } while (elapsed < seconds);
      return (step - first) * tokensPerStep(run) / elapsed;
    };
    await trainFor(WARMUP_SECONDS);
    return await trainFor(MEASURED_SECONDS);
  } finally {
    session.close();
  }
}

/** Tokens that a whole plan costs, evaluations counted at a third. */
export function planTokens(plan: Plan): number {
  return plan.runs.reduce((total, run) => {
    const { tokens, evaluationTokens } = runCost(run);
    return total + tokens + evaluationTokens * EVALUATION_SHARE;
  }, 0);
}
