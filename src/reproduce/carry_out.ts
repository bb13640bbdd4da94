/** A plan carried out in its output folder: the folder is taken, what is missing is trained, and the rest follows. */
import { canonicalJson } from "../digest/canonical_json.ts";
import type { Shortage } from "../data/shortage.ts";
import type { Plan } from "../experiment/plan/plan.ts";
import { planFromJson, planToJson } from "../experiment/plan/plan_json.ts";
import { filesWithin } from "../files/files_within.ts";
import { claimOutputFolder, lockOutputFolder, PLAN_FILE, requireOwnFolder } from "../files/output_lock.ts";
import { folderArtefacts } from "../manifest/verify/folder_artefacts.ts";
import type { PlanCorpora } from "../train/evaluation/evaluation.ts";
import type { OpenImported } from "../train/checkpoint/imported_weights.ts";
import { FinishedRuns } from "../train/folder/finished_runs.ts";
import { trainPlan } from "../train/train_plan.ts";
import { jobDeadline, thisTrainer } from "../worker/this_trainer.ts";
import { calibrate } from "./calibrate.ts";
import { conclude } from "./conclude.ts";
import { describeRuns } from "./describe_runs.ts";
import type { ReproduceOptions, Reproduction } from "./options.ts";
import { requireStatable } from "./dry_run.ts";
import type { InputDigest } from "./inputs.ts";
import type { PaperFile } from "./paper_file.ts";
import { requireRetraining, retrainFound } from "./retrain_found.ts";
import { withTrainers } from "./trainers.ts";

/** A plan with all that it is judged by and trained on. */
export interface ReadyPlan {
  readonly paper: PaperFile;
  /** the files that the plan and its data follow from, as they were when it was made */
  readonly inputs: readonly InputDigest[];
  readonly plan: Plan;
  readonly corpora: PlanCorpora;
  /** where corpora are shorter than the runs read */
  readonly shortages?: readonly Shortage[];
  /** weights that others trained, for runs that start from them */
  readonly imported?: OpenImported;
}

/**
 * Trains what of the plan is not trained yet, retrains what `options.retrain` asks for, then judges, reports and
 * signs. Everything that it writes goes through `options.fileSystem`, and the same call resumes from wherever it stopped.
 *
 * @throws {UserError} where files cannot be read or written; the folder is left so that the same call resumes
 * @throws {Interrupted} when `options.signal` is aborted
 */
export async function carryOut(options: ReproduceOptions, ready: ReadyPlan): Promise<Reproduction> {
  const { output, engine, fileSystem: files = filesWithin(options.output), signal, events = {} } = options;
  const { plan, corpora, imported } = ready;
  if (options.retrain !== undefined) requireRetraining(engine);
  await requireStatable(options, ready);
  const text = planText(plan);
  const isOurs = (found: Uint8Array) => isCompatible(plan, found);
  // Before the lock too: in a folder that is refused, nothing is touched.
  await requireOwnFolder(output, text, isOurs, files);
  await using lock = await lockOutputFolder(output, files);
  if (lock.tookOverFrom !== undefined) {
    events.onWarning?.(`Process ${lock.tookOverFrom.pid} left "${output}" without finishing; resuming from there`);
  }
  await claimOutputFolder(output, text, isOurs, files);
  await options.beforeTraining?.(ready.paper.text, files);
  const key = await options.signingKey(); // fail on a missing key before training
  const finished = new FinishedRuns(output, corpora, files);
  for (const run of plan.runs) await finished.find(run); // refuse what cannot be resumed before training
  if (events.onPlan !== undefined) events.onPlan(plan, await calibrate(plan, engine, output, finished, files));
  const { onProgress, onRun, onWarning } = events;
  const results = await trainPlan({
    runs: plan.runs,
    engine,
    corpora,
    output,
    files,
    finished,
    trainer: thisTrainer(engine),
    deadline: jobDeadline(),
    acceptOtherConditions: options.acceptOtherConditions,
    imported,
    signal,
    onProgress,
    onRun,
    onWarning,
  });
  const artefacts = folderArtefacts(output, files);
  const runs = await describeRuns(results, artefacts);
  const checked = options.retrain === undefined ? runs : await retrainFound({
    count: options.retrain,
    results,
    runs,
    artefacts,
    engine,
    corpora,
    imported,
    signal,
    ...events,
  });
  const stated = await withTrainers(checked, output, files);
  return await conclude({ ...options, fileSystem: files }, ready, results, stated, key);
}

/** Mixes apart, which follow from the choice of runs and are in the runs' keys. */
function sameData({ mixes: _, ...earlier }: Plan["data"], { mixes: _mixes, ...data }: Plan["data"]): boolean {
  return canonicalJson(earlier) === canonicalJson(data);
}

/** The text of `plan.json`: the same for the same plan. */
export function planText(plan: Plan): string {
  return `${canonicalJson(planToJson(plan))}\n`;
}

/** A folder may hold another choice of the same runs: runs of one name must be one run. */
export function isCompatible(plan: Plan, found: Uint8Array): boolean {
  try {
    const earlier = planFromJson(JSON.parse(new TextDecoder().decode(found)), PLAN_FILE);
    const keys = new Map(earlier.runs.map(({ label, key }) => [label, key]));
    return earlier.scale.name === plan.scale.name &&
      sameData(earlier.data, plan.data) &&
      plan.runs.every(({ label, key }) => (keys.get(label) ?? key) === key);
  } catch {
    return false;
  }
}
