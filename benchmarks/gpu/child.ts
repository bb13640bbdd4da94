/**
 * Work that a part has done in a process of its own: twice, on the stand-in beside the GPU, under a sanitizer, or to be
 * killed. `child.ts JOB SETTINGS ARGUMENTS`, the latter two in JSON; what it found is the last line of its output.
 */
import { type EngineName, withEngine } from "./engines.ts";
import { type CaseDigests, orderedDigests } from "./cases/ordered.ts";
import { parseSettings, type Settings } from "./settings.ts";
import { trainSmoke } from "./smoke.ts";
import { gpuTask, type Size, type TaskChoice } from "./task.ts";
import { type Stretch, train, type Trained } from "./training.ts";

/** A stretch of training. */
export interface TrainingArguments extends Stretch, TaskChoice {
  readonly engine: EngineName;
  readonly size: Size;
}

/** The smoke scale into a folder. */
export interface SmokeArguments {
  readonly engine: EngineName;
  readonly folder: string;
}

/** What a child can be asked, with what it answers. */
export interface Jobs {
  train(settings: Settings, args: TrainingArguments): Promise<Trained>;
  /** prints a line after each run */
  smoke(settings: Settings, args: SmokeArguments): Promise<string>;
  orderedCases(settings: Settings, args: null): Promise<CaseDigests>;
}

const JOBS: Jobs = {
  train: (settings, { engine, size, ...rest }) =>
    withEngine(engine, settings, (opened) => train(opened, gpuTask(size, settings.rehearsal, rest), rest)),
  smoke: (settings, { engine, folder }) =>
    withEngine(engine, settings, (opened) => trainSmoke(opened, folder, () => console.log("a run is done"))),
  orderedCases: orderedDigests,
};

if (import.meta.main) {
  const [job = "", settings = "", args = ""] = Deno.args;
  // The caller is call_child.ts, whose types are these.
  const work = JOBS[job as keyof Jobs] as (settings: Settings, args: unknown) => Promise<unknown>;
  console.log(JSON.stringify(await work(parseSettings(settings), JSON.parse(args))));
}
