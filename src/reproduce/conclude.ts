/** Claims, report and signed manifest from what the runs left. */
import { describeContainer } from "../container/describe.ts";
import { type Digest, sha256 } from "../digest/sha256.ts";
import type { RunKey } from "../experiment/run/run.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import { writeFileDurably } from "../files/durable.ts";
import type { FileSystem } from "../files/file_system.ts";
import { PLAN_FILE } from "../files/output_lock.ts";
import { digestArtefacts } from "../manifest/verify/folder_artefacts.ts";
import type { SigningKey } from "../manifest/keys/keys.ts";
import { isTrained, type ManifestRun } from "../manifest/format/run.ts";
import { MANIFEST_FILE } from "../manifest/verify/open_manifest.ts";
import { judgeResults } from "../results/paper_judge.ts";
import { buildStatement, signStatement } from "../manifest/statement.ts";
import { armsOf } from "../manifest/verify/verify_claims.ts";
import { runWarnings } from "../report/input/manifest_input.ts";
import { manifestPage } from "../report/manifest_page.ts";
import { REPORT_FILE } from "../report/report_file.ts";
import { RENDERER_VERSION } from "../report/renderer_version.ts";
import type { Curves } from "../results/curves.ts";
import { RunFolder } from "../train/folder/run_folder.ts";
import type { RunResult } from "../train/train_plan.ts";
import type { ReadyPlan } from "./carry_out.ts";
import type { PlanningOptions, Reproduction } from "./options.ts";
import { isSigned } from "./keep_manifest.ts";
import { PAPER_FILE } from "./paper_file.ts";
import { buildPredicate } from "./predicate_input.ts";

/**
 * Judges the claims and writes report and manifest; the manifest last, since it vouches for all others.
 *
 * @param runs what the manifest states of the results
 */
export async function conclude(
  options: PlanningOptions,
  { shortages = [], ...ready }: ReadyPlan,
  results: readonly RunResult[],
  runs: readonly ManifestRun[],
  key: SigningKey,
): Promise<Reproduction> {
  const { output, fileSystem: files = DENO_FILES, events = {} } = options;
  const { paper, plan } = ready;
  const curves = await readCurves(output, results, files);
  const arms = armsOf(plan.runs, curves);
  const judgement = judgeResults(paper.content, plan, arms);
  const { claims, comparisons, estimates = [] } = judgement;
  const container = await describeContainer();

  await writeFileDurably(`${output}/${PAPER_FILE}`, paper.text, { files });
  const artefacts = await digestArtefacts(output, artefactNames(output, results), files, checkpointDigests(results));
  const input = { ...options, ...ready, shortages, runs, judgement, container, artefacts };
  const draft = buildPredicate(input);
  const page = manifestPage({ predicate: draft, plan, paper: paper.content, curves });
  const reportPath = `${output}/${REPORT_FILE}`;
  await writeFileDurably(reportPath, page, { files });
  const report = { name: REPORT_FILE, sha256: sha256(page) };
  const statement = buildStatement({
    artefacts: [...artefacts, report],
    predicate: { ...draft, report: { ...report, rendererVersion: RENDERER_VERSION } },
  });
  const manifestPath = `${output}/${MANIFEST_FILE}`;
  const hasRetrained = runs.some((run) => isTrained(run) && run.retrained !== undefined);
  if (!await isSigned(manifestPath, statement, key, files, hasRetrained)) {
    await writeFileDurably(manifestPath, await signStatement(statement, key), { files });
  }
  for (const warning of runWarnings(draft.runs, curves)) events.onWarning?.(warning);
  return { plan, results, verdicts: claims, estimates, comparisons, manifestPath, reportPath };
}

async function readCurves(
  output: string,
  results: readonly RunResult[],
  files: FileSystem,
): Promise<Map<RunKey, Curves>> {
  const curves = new Map<RunKey, Curves>();
  for (const result of results) {
    if (result.kind === "skipped") continue;
    const { run, record } = result;
    curves.set(run.key, await new RunFolder(output, run.label, files).readCurves(record.files.curves));
  }
  return curves;
}

/** Digests of checkpoints, each hashed in this very command: when its run ended, or when it was found done. */
function checkpointDigests(results: readonly RunResult[]): Map<string, Digest> {
  const digests = new Map<string, Digest>();
  for (const result of results) {
    if (result.kind === "skipped") continue;
    const { label } = result.run;
    for (const [name, digest] of Object.entries(result.record.files.checkpoints)) {
      digests.set(`runs/${label}/checkpoints/${name}`, digest);
    }
  }
  return digests;
}

/**
 * Everything that the manifest vouches for but the page, by its name relative to the output folder. Of checkpoints these are the
 * ones in the run's record: what else lies in its folder, it was not left there by the run.
 */
function artefactNames(output: string, results: readonly RunResult[]): string[] {
  const names = [PLAN_FILE, PAPER_FILE];
  for (const result of results) {
    if (result.kind === "skipped") continue;
    const folder = new RunFolder(output, result.run.label);
    const checkpoints = Object.keys(result.record.files.checkpoints).map((name) => `${folder.checkpoints}/${name}`);
    for (const path of [folder.journal, folder.curves, folder.record, ...checkpoints]) {
      names.push(path.slice(output.length + 1));
    }
  }
  return names;
}
