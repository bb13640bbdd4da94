/** Who trained the runs of a reproduction, as a manifest states it: machines by number, since their names are nobody's business. */
import { canonicalJson } from "../digest/canonical_json.ts";
import type { FileSystem } from "../files/file_system.ts";
import { isTrained, type ManifestRun, type RunTrainer } from "../manifest/format/run.ts";
import { RunFolder } from "../train/folder/run_folder.ts";
import type { TrainedPeriod } from "../train/folder/trained_by.ts";

/**
 * Adds to each run who trained it. A run of an earlier version, which left no notes, gets nothing.
 *
 * @param output the folder that the runs lie in
 */
export async function withTrainers(
  runs: readonly ManifestRun[],
  output: string,
  files: FileSystem,
): Promise<ManifestRun[]> {
  const numbers = new Map<string, number>();
  const stated: ManifestRun[] = [];
  for (const run of runs) {
    const notes = isTrained(run) ? await new RunFolder(output, run.label, files).readNotes() : undefined;
    const periods = notes?.key === run.key ? notes.trainedBy : [];
    stated.push(isTrained(run) && periods.length > 0 ? { ...run, trainedBy: stateTrainers(periods, numbers) } : run);
  }
  return stated;
}

/**
 * Periods as a manifest states them.
 *
 * @param numbers of machines that other runs named; those that are new get the next numbers
 */
export function stateTrainers(periods: readonly TrainedPeriod[], numbers: Map<string, number>): RunTrainer[] {
  return periods.map(({ fromStep, host, os, architecture, cpu, gpu, deno, engine, job }) => {
    const machine = canonicalJson({ host, os, architecture, cpu, gpu: gpu === "none" ? gpu : "some" });
    const number = numbers.get(machine) ?? numbers.size + 1;
    numbers.set(machine, number);
    return { fromStep, machine: number, os, architecture, cpu, gpu, deno, engine: engine.name, job };
  });
}
