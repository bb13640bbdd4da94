/** The paper's runs as the simulation takes them: hours by their FLOPs on one GPU. */
import { mixedArithmetic } from "../../src/engine/cuda/mixed/precision.ts";
import { runCost } from "../../src/experiment/plan/cost.ts";
import { buildPlan } from "../../src/experiment/plan/plan.ts";
import { gpuPrice, type PriceOptions } from "../../src/experiment/plan/price.ts";
import type { PlannedRun } from "../../src/experiment/run/run.ts";
import { longestChainFirst, parentOf } from "../../src/experiment/run/run_graph.ts";
import { timetable } from "../../src/launch/timetable.ts";
import type { SimulatedRun } from "./simulation.ts";

/** As `deno task plan` prices it. */
const H200: PriceOptions = { gpu: "h200", utilization: 0.4, dollarsPerHour: 3.5 };

function hours(run: PlannedRun): number {
  return gpuPrice(runCost(run).flops, H200).gpuDays * 24;
}

/**
 * Runs of the paper's plan in the order in which `launch slurm` submits them.
 *
 * @param seeds repetitions of everything
 * @param isPretrained whether the plan trains its own start: a chain of two runs
 */
export async function paperRuns(seeds = 1, isPretrained = false): Promise<readonly SimulatedRun[]> {
  const { runs } = await buildPlan({
    scale: "paper",
    seeds,
    engine: { level: "run_to_run", arithmetic: mixedArithmetic("bf16") },
    ...(isPretrained ? { start: "train" } : {}),
  });
  return longestChainFirst(runs, hours).map((run) => {
    const parent = parentOf(run, runs);
    const duration = hours(run);
    return {
      name: run.label,
      duration,
      checkpointInterval: duration / run.steps * run.specification.checkpointInterval,
      ...(parent === undefined ? {} : { after: parent.label }),
    };
  });
}

/** The same in lanes, as `--max-parallel` makes them: each run also waits for the one before it in its lane. */
export function inLanes(runs: readonly SimulatedRun[], lanes: number): readonly SimulatedRun[] {
  const last = new Map<number, string>();
  const byName = new Map(runs.map((run) => [run.name, run]));
  return timetable(runs, lanes).flatMap(({ name, machine }) => {
    const lane = last.get(machine);
    last.set(machine, name);
    const run = byName.get(name);
    return run === undefined ? [] : [{ ...run, ...(lane === undefined ? {} : { lane }) }];
  });
}
