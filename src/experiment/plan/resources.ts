/** What each run of a plan needs before it starts: schedule, checkpoints on the disk, GPU time, and what waits for what. */
import { shortDigest } from "../../digest/sha256.ts";
import { parameterCount } from "../../model/config.ts";
import { runCost } from "./cost.ts";
import { isCheckpointStep } from "../run/evaluation.ts";
import { compactNumber, groupedNumber } from "../../text/numbers.ts";
import type { Plan } from "./plan.ts";
import { gpuPrice, isPretraining, type PriceOptions } from "./price.ts";
import type { PlannedRun } from "../run/run.ts";
import { lastStartOf } from "../run/run_starts.ts";

/** Bytes of a checkpoint for each parameter: weights and both moments in f32. */
const CHECKPOINT_BYTES = 12;

/** Needs of one run. */
export interface RunResources {
  readonly run: PlannedRun;
  /** fractional, as in GPT-NeoX */
  readonly warmupSteps: number;
  /** that the run leaves, the one at its end included */
  readonly checkpoints: number;
  readonly diskBytes: number;
  readonly gpuDays: number;
  readonly dollars: number;
}

/** Needs of every run, in the plan's order. */
export function runResources(plan: Plan, price: PriceOptions): RunResources[] {
  return plan.runs.map((run) => {
    const { specification, steps } = run;
    let checkpoints = 0;
    for (let step = 1; step <= steps; step++) if (isCheckpointStep(specification, step)) checkpoints++;
    return {
      run,
      warmupSteps: specification.schedule.warmupSteps,
      checkpoints,
      diskBytes: checkpoints * CHECKPOINT_BYTES * parameterCount(specification.model),
      ...gpuPrice(runCost(run).flops, price),
    };
  });
}

/** A chain of runs, each of which starts from the one before it. */
export interface CriticalPath {
  readonly runs: readonly PlannedRun[];
  /** GPU-days of all of them: divided by the GPUs of a run it is the least time that the plan takes */
  readonly gpuDays: number;
}

/** The longest chain; pre-training counts only up to the checkpoint that is started from, or not at all. */
export function criticalPath(plan: Plan, price: PriceOptions, withPretraining: boolean): CriticalPath {
  const longest = new Map<string, CriticalPath>();
  let best: CriticalPath = { runs: [], gpuDays: 0 };
  for (const run of plan.runs) {
    const counted = withPretraining || !isPretraining(run);
    const own = counted ? gpuPrice(runCost(run).flops, price).gpuDays : 0;
    const start = lastStartOf(run.specification.initialWeights);
    const parent = start === undefined ? undefined : plan.runs.find(({ key }) => key === start.run);
    const before = parent === undefined ? undefined : longest.get(parent.key);
    // Of the parent only the part up to the checkpoint has to be waited for.
    const waits = parent === undefined || before === undefined || !(withPretraining || !isPretraining(parent))
      ? 0
      : before.gpuDays - gpuPrice(runCost(parent).flops, price).gpuDays +
        gpuPrice(runCost({ ...parent, steps: start?.step ?? 0 }).flops, price).gpuDays;
    const path = { runs: [...before?.runs ?? [], ...(counted ? [run] : [])], gpuDays: waits + own };
    longest.set(run.key, path);
    if (path.gpuDays > best.gpuDays) best = path;
  }
  return best;
}

/** A table of all runs' needs, what waits for what, and the disk that all of it takes. */
export function formatResources(plan: Plan, price: PriceOptions): string {
  const needs = runResources(plan, price);
  const rows = needs.map(({ run, warmupSteps, checkpoints, diskBytes, gpuDays, dollars }) => [
    run.label,
    groupedNumber(run.steps),
    String(Math.round(warmupSteps * 100) / 100),
    shortDigest(run.specification.scheduleDigest),
    `${checkpoints}`,
    `${compactNumber(diskBytes)}B`,
    gpuDays < 0.995 ? gpuDays.toFixed(2) : gpuDays.toFixed(1),
    `$${compactNumber(dollars)}`,
  ]);
  const table = [["run", "steps", "warm-up", "LR table", "checkpoints", "disk", "GPU-days", "price"], ...rows];
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))
      .join("  ").trimEnd()
  );
  const disk = needs.reduce((sum, { diskBytes }) => sum + diskBytes, 0);
  const path = criticalPath(plan, price, false);
  const labels = path.runs.map(({ label }) => `"${label}"`).join(" → ");
  return [
    ...lines,
    "",
    `checkpoints take ${compactNumber(disk)}B in all`,
    `what cannot be shared out: ${labels || "nothing"}, ${path.gpuDays.toFixed(1)} GPU-days (without pre-training); ` +
    "all other runs fit beside it on other GPUs",
  ].join("\n");
}
