/** Which run of a plan serves which arm. Web-standard APIs only. */
import { startsOf } from "../../experiment/run/run_starts.ts";
import { canonicalJson } from "../../digest/canonical_json.ts";
import type { Plan } from "../../experiment/plan/plan.ts";
import type { PlannedRun } from "../../experiment/run/run.ts";
import { printable } from "../../files/safe_name.ts";

/** Steps that other runs start from, ascending, by the run. */
type Starts = ReadonlyMap<string, readonly number[]>;

/**
 * Each arm of the plan is served by one run at each seed, and each run serves an arm or another run: claims are judged
 * by the curve of an arm, and an arm without one would be left out without a word. The first flaw; `undefined` if none.
 */
export function armsFlaw({ experiments, runs, seeds }: Plan): string | undefined {
  const arms = experiments.flatMap(({ name, arms }) => arms.map((arm) => `${name}/${arm}`));
  const planned = new Set(arms);
  if (planned.size < arms.length) return "an arm stands twice in the plan";
  const starts = startsByRun(runs);
  const owners = new Map<string, string>();
  for (const run of runs) {
    const flaw = servedFlaw(run, planned, seeds, owners);
    if (flaw !== undefined) return flaw;
  }
  for (const run of runs) {
    const flaw = lengthFlaw(run, starts);
    if (flaw !== undefined) return flaw;
  }
  for (const arm of arms) {
    for (let seedIndex = 0; seedIndex < seeds; seedIndex++) {
      if (!owners.has(`${arm} ${seedIndex}`)) return `no run serves arm "${printable(arm)}" at seed ${seedIndex}`;
    }
  }
  return undefined;
}

/** @param owners takes the run's arms */
function servedFlaw(
  { label, steps, usedBy }: PlannedRun,
  planned: ReadonlySet<string>,
  seeds: number,
  owners: Map<string, string>,
): string | undefined {
  for (const { experiment, arm, seedIndex, steps: read } of usedBy) {
    const reference = `${experiment}/${arm}`;
    const name = printable(reference);
    if (!planned.has(reference)) return `run "${label}" serves arm "${name}", which is not planned`;
    if (seedIndex >= seeds) return `run "${label}" serves seed ${seedIndex}, and there are ${seeds}`;
    if (seedIndex !== usedBy[0]?.seedIndex) {
      return `run "${label}" serves seeds ${usedBy[0]?.seedIndex} and ${seedIndex}`;
    }
    if (read > steps) return `arm "${name}" reads ${read} steps of run "${label}", which has ${steps}`;
    const owner = owners.get(`${reference} ${seedIndex}`);
    if (owner !== undefined) return `runs "${owner}" and "${label}" both serve arm "${name}" at seed ${seedIndex}`;
    owners.set(`${reference} ${seedIndex}`, label);
  }
  return undefined;
}

function startsByRun(runs: readonly PlannedRun[]): Starts {
  const starts = new Map<string, Set<number>>();
  for (const { specification: { initialWeights: from } } of runs) {
    for (const { run, step } of startsOf(from)) starts.set(run, (starts.get(run) ?? new Set()).add(step));
  }
  return new Map([...starts].map(([key, steps]) => [key, [...steps].sort((a, b) => a - b)]));
}

/** A run is as long as what reads it needs, and keeps the checkpoints that others start from. */
function lengthFlaw({ key, label, steps, checkpointSteps, usedBy }: PlannedRun, starts: Starts): string | undefined {
  const needed = starts.get(key) ?? [];
  if (usedBy.length === 0 && needed.length === 0) return `run "${label}" serves no arm, and no run starts from it`;
  if (canonicalJson(needed) !== canonicalJson(checkpointSteps)) {
    return `other runs start from steps ${needed.join(", ") || "none"} of run "${label}", and its plan keeps ` +
      `${checkpointSteps.join(", ") || "none"}`;
  }
  const longest = Math.max(...needed, ...usedBy.map((arm) => arm.steps));
  return steps === longest
    ? undefined
    : `run "${label}" is planned for ${steps} steps, and its arms and the runs after it need ${longest}`;
}
