/** The whole way: data, plan, training, claims, report, signed manifest. */
import { canonicalJson } from "../digest/canonical_json.ts";
import type { Corpora as OpenCorpora } from "../train/evaluation.ts";
import { openCorpora } from "../data/corpora.ts";
import type { CorpusSource, DataProgress } from "../data/options.ts";
import type { Engine } from "../engine/engine.ts";
import { buildPlan, type Plan, requireData } from "../experiment/plan.ts";
import { planFromJson, planToJson } from "../experiment/plan_json.ts";
import type { RunKey } from "../experiment/run.ts";
import { writeFileDurably } from "../files/durable.ts";
import { claimOutputFolder, lockOutputFolder } from "../files/output_lock.ts";
import { digestArtefacts } from "../manifest/folder_artefacts.ts";
import type { SigningKey } from "../manifest/keys.ts";
import { judgeResults } from "../manifest/paper_judge.ts";
import { buildStatement, signStatement } from "../manifest/statement.ts";
import { armsOf } from "../manifest/verify_claims.ts";
import { renderReport } from "../report/page.ts";
import type { ComparisonRow } from "../results/compare_numbers.ts";
import type { Verdict } from "../results/claims.ts";
import type { Curves } from "../results/curves.ts";
import { parseCurves } from "../results/curves_schema.ts";
import { checkpointName } from "../train/checkpoint.ts";
import { RunFolder } from "../train/run_folder.ts";
import { type RunResult, trainPlan } from "../train/train_plan.ts";
import type { RunProgress } from "../train/train_run.ts";
import { calibrate, type Calibration } from "./calibrate.ts";
import { loadPaper, type PaperFile } from "./paper_file.ts";
import { buildPredicate } from "./predicate_input.ts";
import { buildReportInput } from "./report_input.ts";

/** Names of the files at the top of an output folder. */
export const MANIFEST_FILE = "manifest.dsse.json";
/** See {@linkcode MANIFEST_FILE}. */
export const REPORT_FILE = "report.html";
const PLAN_FILE = "plan.json";
/** The rules by which the claims were judged, beside the results, so that a later version of them does no harm. */
const PAPER_COPY = "paper.yaml";

/** What to reproduce, and how. */
export interface ReproduceOptions {
  /** name of a file in `experiments/scales` */
  readonly scale: string;
  /** what trains; only `machine_to_machine` engines promise the same bits elsewhere */
  readonly engine: Engine;
  /** threads of the engine, for the manifest */
  readonly threads: number;
  /** experiments or arms; all if absent */
  readonly only?: readonly string[];
  /** repetitions with other seeds; default 1 */
  readonly seeds?: number;
  /** files to train on in place of the scale's own data */
  readonly files?: { readonly upstream: readonly string[]; readonly downstream: readonly string[] };
  /** output folder */
  readonly output: string;
  /** folder of prepared corpora */
  readonly dataCache?: string;
  /** gives the key; asked before training starts */
  readonly signingKey: () => Promise<SigningKey>;
  /** the command as it was given, for the manifest */
  readonly command?: readonly string[];
  /** aborted: stop after the current step, with a checkpoint */
  readonly signal?: AbortSignal;
  /** told on the way; errors that they throw end the reproduction */
  readonly events?: ReproduceEvents;
}

/** What happens on the way, for whoever shows it. */
export interface ReproduceEvents {
  /** sources are read, hashed or tokenised */
  readonly onData?: (progress: DataProgress) => void;
  /** the plan is fixed and the machine's speed measured; training starts next */
  readonly onPlan?: (plan: Plan, calibration: Calibration) => void;
  /** every few optimizer steps, and at every evaluation */
  readonly onProgress?: (progress: RunProgress) => void;
  /** a run is done, was done before, or is skipped */
  readonly onRun?: (result: RunResult) => void;
  /** something the user should know, in a whole sentence */
  readonly onWarning?: (message: string) => void;
}

/** What came of it. */
export interface Reproduction {
  /** what was trained */
  readonly plan: Plan;
  /** one a run, in the order of the plan */
  readonly results: readonly RunResult[];
  /** one a claim, in the order of `experiments/paper.yaml` */
  readonly verdicts: readonly Verdict[];
  /** the paper's numbers beside ours */
  readonly comparisons: readonly ComparisonRow[];
  /** the signed manifest, in the output folder */
  readonly manifestPath: string;
  /** the report, one self-contained HTML page */
  readonly reportPath: string;
}

/** The source that a scale's data come from, or the files given in their place. */
export function corpusSource(files: ReproduceOptions["files"]): CorpusSource {
  return files === undefined ? { kind: "npm" } : { kind: "files", ...files };
}

/**
 * Trains what is not trained yet, judges the paper's claims, and leaves `plan.json`, `runs/`, `report.html` and
 * `manifest.dsse.json` in the output folder. Called again, it goes on where it stopped.
 *
 * @throws {UserError} on bad input, naming what to do
 * @throws {Interrupted} when `signal` is aborted; the newest step is on the disk
 */
export async function reproduce(options: ReproduceOptions): Promise<Reproduction> {
  const { output, engine, events = {} } = options;
  const paper = await loadPaper(); // rules that cannot be read must not be found out after training
  const scalePlan = await planWithoutData(options);
  if (options.files === undefined && scalePlan.scale.data.kind !== "npm") requireData(scalePlan);
  const corpora = await openCorpora({
    source: corpusSource(options.files),
    sequenceLength: scalePlan.scale.model.config.sequenceLength,
    ...(options.dataCache === undefined ? {} : { cacheFolder: options.dataCache }),
    ...(events.onData === undefined ? {} : { onProgress: events.onData }),
  });
  try {
    const plan = await buildPlan({
      ...planOptions(options),
      corpusDigests: { upstream: corpora.upstream.digest, downstream: corpora.downstream.digest },
    });
    await using lock = await lockOutputFolder(output);
    if (lock.tookOverFrom !== undefined) {
      events.onWarning?.(`Process ${lock.tookOverFrom.pid} left "${output}" without finishing; going on from there`);
    }
    const planText = `${canonicalJson(planToJson(plan))}\n`;
    await claimOutputFolder(output, planText, (found) => isCompatible(plan, found));
    const key = await options.signingKey(); // nor a key that is not there
    events.onPlan?.(plan, await calibrate(plan, engine, output));
    const { signal, onProgress, onRun, onWarning } = { signal: options.signal, ...events };
    const results = await trainPlan({
      runs: plan.runs,
      engine,
      corpora,
      output,
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(onRun === undefined ? {} : { onRun }),
      ...(onWarning === undefined ? {} : { onWarning }),
    });
    return await conclude(options, { key, paper, plan, results, corpora });
  } finally {
    corpora.upstream.close();
    corpora.downstream.close();
  }
}

function planOptions({ scale, only, seeds = 1, engine }: ReproduceOptions) {
  const { level, arithmetic } = engine;
  return { scale, seeds, engine: { level, arithmetic }, ...(only === undefined ? {} : { only }) };
}

async function planWithoutData(options: ReproduceOptions): Promise<Plan> {
  return await buildPlan(planOptions(options));
}

/** A folder may hold another choice of the same runs: runs of one name must be one run. */
function isCompatible(plan: Plan, found: Uint8Array): boolean {
  try {
    const earlier = planFromJson(JSON.parse(new TextDecoder().decode(found)), PLAN_FILE);
    const keys = new Map(earlier.runs.map(({ label, key }) => [label, key]));
    return earlier.scale.name === plan.scale.name &&
      canonicalJson(earlier.data) === canonicalJson(plan.data) &&
      plan.runs.every(({ label, key }) => (keys.get(label) ?? key) === key);
  } catch {
    return false;
  }
}

/** Claims, report and manifest from what the runs left. */
async function conclude(
  options: ReproduceOptions,
  { key, paper, plan, results, corpora }: {
    readonly key: SigningKey;
    readonly paper: PaperFile;
    readonly plan: Plan;
    readonly results: readonly RunResult[];
    readonly corpora: OpenCorpora;
  },
): Promise<Reproduction> {
  const { output, events = {} } = options;
  const curves = await readCurves(output, results);
  const arms = armsOf(plan.runs, curves);
  const { claims, comparisons } = judgeResults(paper.content, plan, arms);
  const predicateInput = { ...options, plan, results, corpora, paper, claims, comparisons };

  const warnings = results.flatMap((result) => warningOf(result));
  const report = buildReportInput({ ...predicateInput, arms, warnings, curves });
  const reportPath = `${output}/${REPORT_FILE}`;
  await writeFileDurably(reportPath, renderReport(report));

  await writeFileDurably(`${output}/${PAPER_COPY}`, paper.text);
  const artefacts = await digestArtefacts(output, await artefactNames(output, results));
  const predicate = await buildPredicate({ ...predicateInput, artefacts });
  const envelope = await signStatement(buildStatement({ artefacts, predicate }), key);
  const manifestPath = `${output}/${MANIFEST_FILE}`;
  await writeFileDurably(manifestPath, envelope);
  for (const warning of warnings) events.onWarning?.(warning);
  return { plan, results, verdicts: claims, comparisons, manifestPath, reportPath };
}

function warningOf(result: RunResult): string[] {
  if (result.kind === "skipped") return [`Run "${result.run.label}" was skipped: ${result.reason}`];
  const { outcome } = result.record;
  if (outcome.kind === "completed") return [];
  return [`Run "${result.run.label}" diverged at step ${outcome.step}: its loss or gradient norm is ${outcome.value}`];
}

async function readCurves(output: string, results: readonly RunResult[]): Promise<Map<RunKey, Curves>> {
  const curves = new Map<RunKey, Curves>();
  for (const { run, kind } of results) {
    if (kind === "skipped") continue;
    const path = new RunFolder(output, run.label).curves;
    curves.set(run.key, parseCurves(await Deno.readTextFile(path), path));
  }
  return curves;
}

/** Everything that the manifest vouches for, by its name relative to the output folder. */
async function artefactNames(output: string, results: readonly RunResult[]): Promise<string[]> {
  const names = [PLAN_FILE, PAPER_COPY, REPORT_FILE];
  for (const { run, kind } of results) {
    if (kind === "skipped") continue;
    const folder = new RunFolder(output, run.label);
    const checkpoints = (await folder.checkpointSteps()).map((step) => `${folder.checkpoints}/${checkpointName(step)}`);
    for (const path of [folder.journal, folder.curves, folder.record, ...checkpoints]) {
      names.push(path.slice(output.length + 1));
    }
  }
  return names;
}
