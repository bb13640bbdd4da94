/** How far a plan is that many processes share, by the records in its folder. */
import type { PlannedRun, RunKey } from "../experiment/run/run.ts";
import { startsOf } from "../experiment/run/run_starts.ts";
import type { FinishedRuns } from "../train/folder/finished_runs.ts";
import type { RunRecord } from "../train/folder/run_record.ts";
import { type DoneRun, reasonToSkip, type RunResult } from "../train/run_trainer.ts";

/** A run, and whether there is something to be done for it. */
export type Standing =
  | RunResult
  /** it can be trained now; `parents` are the runs that it starts from */
  | { readonly run: PlannedRun; readonly kind: "ready"; readonly parents: readonly DoneRun[] }
  /** it starts from a run that is not done */
  | { readonly run: PlannedRun; readonly kind: "not ready"; readonly parent: PlannedRun };

/** A run that somebody has found to contradict itself counts as not done: what is wrong with it, by its key. */
export type Doubts = ReadonlyMap<RunKey, string>;

/** Looks at every run of a plan, in its order, where parents stand before those that start from them. */
export async function standings(
  runs: readonly PlannedRun[],
  finished: Pick<FinishedRuns, "find">,
  doubts: Doubts = new Map(),
): Promise<Standing[]> {
  const known = new Map<RunKey, Standing>();
  for (const run of runs) known.set(run.key, await standing(run, known, finished, doubts));
  return [...known.values()];
}

async function standing(
  run: PlannedRun,
  known: ReadonlyMap<RunKey, Standing>,
  finished: Pick<FinishedRuns, "find">,
  doubts: Doubts,
): Promise<Standing> {
  const parents = startsOf(run.specification.initialWeights).flatMap((start) => known.get(start.run) ?? []);
  const reason = reasonToSkip(run, parents.filter((parent) => parent.kind === "skipped" || parent.kind === "trained"));
  if (reason !== undefined) return { run, kind: "skipped", reason };
  const found = doubts.has(run.key) ? undefined : await finished.find(run);
  if (found?.kind === "finished") return doneRun(run, found.record);
  const missing = parents.find((parent) => parent.kind !== "trained");
  if (missing !== undefined) return { run, kind: "not ready", parent: missing.run };
  return { run, kind: "ready", parents: parents.filter((parent) => parent.kind === "trained") };
}

/** A run that was found done. */
function doneRun(run: PlannedRun, record: RunRecord): DoneRun {
  return { run, kind: "trained", record, origin: "found", foundSteps: record.steps };
}
