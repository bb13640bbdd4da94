/** Which run waits for which, and in what order to begin them. */
import type { PlannedRun, RunKey } from "./run.ts";
import { lastStartOf, startsOf } from "./run_starts.ts";

/** The run whose checkpoint a run starts from, the last of two; undefined for one that starts from random or imported weights. */
export function parentOf(run: PlannedRun, runs: readonly PlannedRun[]): PlannedRun | undefined {
  const start = lastStartOf(run.specification.initialWeights);
  return start === undefined ? undefined : runs.find(({ key }) => key === start.run);
}

/**
 * Runs in the order in which to begin them: the one with the longest chain of work from its start to the plan's end
 * first, as critical-path scheduling has it (Hu 1961; Graham 1969). A long run that is begun last is waited for by idle
 * machines. Every run stands after those that it starts from; equals stay in the plan's order.
 *
 * @param work of a run, in any unit, at least 0
 */
export function longestChainFirst(
  runs: readonly PlannedRun[],
  work: (run: PlannedRun) => number,
): readonly PlannedRun[] {
  const chains = new Map<RunKey, number>();
  // From the plan's end: each run stands after those it starts from, so that all that begin with it are known.
  for (const run of runs.toReversed()) {
    const chain = work(run) + (chains.get(run.key) ?? 0);
    chains.set(run.key, chain);
    for (const start of startsOf(run.specification.initialWeights)) {
      chains.set(start.run, Math.max(chains.get(start.run) ?? 0, chain));
    }
  }
  return runs.toSorted((a, b) => (chains.get(b.key) ?? 0) - (chains.get(a.key) ?? 0));
}
