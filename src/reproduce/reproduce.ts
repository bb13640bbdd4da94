/** The whole way: data and plan first, then everything that {@linkcode carryOut} does with them. */
import { describeContainer } from "../container/describe.ts";
import { openCorpora } from "../data/corpora.ts";
import type { DataProgress } from "../data/options.ts";
import { corpusOptions } from "../data/scale_corpora.ts";
import type { Shortage } from "../data/shortage.ts";
import { digestsOfCorpora, mixesOf } from "../experiment/arm/mixes.ts";
import { buildPlan, type Plan, type PlanOptions, planWithout } from "../experiment/plan/plan.ts";
import { leftOutLines } from "../experiment/plan/plan_text.ts";
import { plannedChoice } from "../experiment/arm/start.ts";
import { filesWithin } from "../files/files_within.ts";
import { hasCode } from "../errors.ts";
import { claimOutputFolder, lockOutputFolder, requireOwnFolder } from "../files/output_lock.ts";
import { carryOut, isCompatible, planText, type ReadyPlan } from "./carry_out.ts";
import { requireStatable } from "./dry_run.ts";
import type { PlanningOptions, ReproduceOptions, Reproduction } from "./options.ts";
import { digestsOf, lineEndsWarning, readInputs } from "./inputs.ts";
import { loadPaper } from "./paper_file.ts";
import { findStart } from "../train/start/find_start.ts";
import { requirePenalties } from "../train/start/penalty.ts";
import { requireWindows } from "../train/evaluation/required_windows.ts";

/**
 * Trains what is not trained yet, judges the paper's claims, and leaves `plan.json`, `runs/`, `report.html` and
 * `manifest.dsse.json` in the output folder. Called again, it resumes where it stopped.
 *
 * @throws {UserError} on bad input, and where files cannot be read or written, naming what to do
 * @throws {Interrupted} when `signal` is aborted; the newest step is on the disk
 */
export async function reproduce(options: ReproduceOptions): Promise<Reproduction> {
  using ready = await prepare(options);
  return await carryOut(options, ready);
}

/**
 * Plans, prepares the data, and leaves `plan.json` in the output folder, for others to carry out.
 *
 * @throws {UserError} as {@linkcode reproduce}; `OUTPUT_FOLDER_OF_ANOTHER_PLAN`
 */
export async function writePlan(options: PlanningOptions): Promise<Plan> {
  using ready = await prepare(options);
  await requireStatable(options, ready);
  const { output, fileSystem: files = filesWithin(output) } = options;
  const text = planText(ready.plan);
  const isOurs = (found: Uint8Array) => isCompatible(ready.plan, found);
  for (let attempt = 1;; attempt++) {
    // Many containers may begin with this at once: whoever finds this very plan is done.
    if (await requireOwnFolder(output, text, isOurs, files)) return ready.plan;
    try {
      await using _lock = await lockOutputFolder(output, files);
      await claimOutputFolder(output, text, isOurs, files);
      return ready.plan;
    } catch (error) {
      if (!hasCode(error, "OUTPUT_FOLDER_IN_USE") || attempt === LOCK_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOCK_PAUSE));
    }
  }
}

/** Another process that writes a plan holds the folder for moments; one that trains, for hours. */
const LOCK_ATTEMPTS = 25;
/** Milliseconds between them. */
const LOCK_PAUSE = 200;

/** Everything that a plan needs before it is carried out. Dispose of it to close the data. */
async function prepare(options: PlanningOptions): Promise<ReadyPlan & Disposable> {
  const { events = {} } = options;
  const paper = await loadPaper(options); // unreadable rules fail before training
  await describeContainer(); // and so does an unreadable description of the container
  const choice = planOptions(options);
  const { plan: withoutData, leftOut } = await planWithout(choice);
  for (const line of leftOutLines(leftOut)) events.onWarning?.(line);
  requirePenalties(withoutData.runs, options.engine);
  // Now, and not when the manifest is made: what was planned follows from the files as they are before training.
  const inputs = await readInputs(withoutData.scale.name, options);
  const warning = lineEndsWarning(inputs);
  if (warning !== undefined) events.onWarning?.(warning);
  const start = await findStart(withoutData.scale, options);
  const shortages: Shortage[] = [];
  const onProgress = (progress: DataProgress) => {
    if (progress.stage === "shortage") {
      const { stage: _, ...shortage } = progress;
      shortages.push(shortage);
    }
    events.onData?.(progress);
  };
  const mixes = mixesOf(withoutData.runs);
  const places = {
    ...options,
    mixes,
    corpusFiles: options.files,
    onProgress,
  };
  const corpora = await openCorpora(corpusOptions(withoutData.scale, places));
  try {
    const plan = await buildPlan({
      ...choice,
      corpusDigests: digestsOfCorpora(corpora),
      imported: start?.checkpoints,
    });
    await requireWindows(plan.runs, corpora);
    const imported = start?.open;
    const dispose = { [Symbol.dispose]: corpora.close };
    return { paper, inputs: digestsOf(inputs), plan, corpora, shortages, imported, ...dispose };
  } catch (error) {
    corpora.close();
    throw error;
  }
}

/** What of the options determines the plan, data and models apart. */
function planOptions(options: PlanningOptions): PlanOptions {
  const { scale, seeds = 1, only, changes, readings, files, mixFiles, start, folder, set, ownExperiments } = options;
  const { level, arithmetic } = options.engine;
  return {
    scale,
    seeds,
    engine: { level, arithmetic },
    only,
    changes,
    readings,
    ownFiles: files === undefined ? undefined : true,
    ownMixes: mixFiles === undefined ? undefined : Object.keys(mixFiles),
    folder,
    set,
    ownExperiments,
    ...plannedChoice(start),
  };
}
