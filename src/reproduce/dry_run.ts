/**
 * The manifest of a plan before its training: built from placeholders as long as the real results can be, and held to
 * everything that a verifier holds it to. A bound that is met after days of training costs these days; met here, it
 * costs nothing.
 */
import { canonicalJson } from "../digest/canonical_json.ts";
import { describeContainer } from "../container/describe.ts";
import { parseStrictJson } from "../text/strict_json.ts";
import { type Digest, sha256 } from "../digest/sha256.ts";
import type { EngineDescription } from "../engine/engine.ts";
import { UserError } from "../errors.ts";
import { evaluationSteps, isCheckpointStep } from "../experiment/run/evaluation.ts";
import { tokensPerStep } from "../experiment/plan/cost.ts";
import { planFromJson, planToJson } from "../experiment/plan/plan_json.ts";
import type { PlannedRun, RunKey } from "../experiment/run/run.ts";
import { PLAN_FILE } from "../files/output_lock.ts";
import { envelopeBytes } from "../manifest/format/dsse.ts";
import { judgeResults } from "../results/paper_judge.ts";
import type { Paper } from "../results/paper_schema.ts";
import type { Artefact, TrainedRun } from "../manifest/format/run.ts";
import { leafCount } from "../manifest/format/run_tree.ts";
import { checkStatement } from "../manifest/statement.ts";
import { MAX_MANIFEST_BYTES, MAX_RULES_BYTES } from "../manifest/verify/verify.ts";
import { armsOf } from "../manifest/verify/verify_claims.ts";
import { MAX_PLAN_BYTES } from "../manifest/verify/verify_plan.ts";
import { REPORT_FILE } from "../report/report_file.ts";
import { RENDERER_VERSION } from "../report/renderer_version.ts";
import type { Curves } from "../results/curves.ts";
import { MAX_CURVES_LENGTH, parseCurves } from "../results/curves_schema.ts";
import { checkpointName } from "../train/checkpoint/checkpoint.ts";
import { bytesPerTokenOf, corporaOf } from "../train/evaluation/evaluation.ts";
import { journalFormat } from "../train/journal/journal_header.ts";
import { MAX_RECORD_BYTES } from "../train/folder/run_folder.ts";
import type { ReadyPlan } from "./carry_out.ts";
import type { PlanningOptions } from "./options.ts";
import { PAPER_FILE } from "./paper_file.ts";
import { predicateOf } from "./predicate_input.ts";
import { stateTrainers } from "./trainers.ts";
import { thisTrainer } from "../worker/this_trainer.ts";

/** Stands for every digest that only training gives. */
const PLACEHOLDER = sha256("placeholder for a digest that training gives");
/** Bytes of a `run.json` besides its states, generously. */
const RECORD_HEAD_BYTES = 1 << 16;
/** Bytes that a state and its checkpoint take in a `run.json`. */
const RECORD_STATE_BYTES = 256;

/** Conditions as far as they are known before a session is open. */
function placeholderConditions(
  { specification }: PlannedRun,
  { conditions }: EngineDescription,
): Pick<TrainedRun, "conditions"> {
  if (specification.engine.level !== "run_to_run") return {};
  return { conditions: [{ fromStep: 0, conditions: conditions ?? {} }] };
}

/** Rules that compare everything: what placeholders say of preconditions must not make the manifest shorter. */
function withoutPreconditions(paper: Paper): Paper {
  return { ...paper, claims: paper.claims.map(({ requires: _, ...claim }) => claim) };
}

/** A run as if it had been trained to its end. */
export function placeholderRun(run: PlannedRun, engine: EngineDescription): TrainedRun {
  const { label, specification, steps } = run;
  const artefact = (name: string): Artefact => ({ name: `runs/${label}/${name}`, sha256: PLACEHOLDER });
  const states = [{ step: 0, state: PLACEHOLDER }];
  for (let step = 1; step <= steps; step++) {
    if (!isCheckpointStep(specification, step)) continue;
    const checkpoint = artefact(`checkpoints/${checkpointName(step)}`);
    states.push(Object.assign({ step, state: PLACEHOLDER }, { checkpoint }));
  }
  const evidence = {
    outcome: "completed",
    journal: { ...artefact("journal.jsonl"), format: journalFormat(specification), root: PLACEHOLDER, steps },
    states,
  } as const;
  const treeSize = leafCount({ key: run.key, specification, ...evidence });
  return {
    ...run,
    ...evidence,
    merkleTree: { treeSize, rootHash: PLACEHOLDER },
    ...placeholderConditions(run, engine),
    // One machine as wordy as this one; how many more take a run over is not known before.
    trainedBy: stateTrainers([{ fromStep: 0, ...thisTrainer(engine) }], new Map()),
    curves: artefact("curves.json"),
    origin: "trained",
  };
}

/** A curve with all evaluations of a run. Its losses fall, are no two the same, and are written with all their digits. */
function placeholderCurves(run: PlannedRun, place: number, { corpora }: ReadyPlan): Curves {
  const { specification, key, label, steps } = run;
  return {
    runKey: key,
    label,
    tokensPerStep: tokensPerStep(run),
    bytesPerToken: bytesPerTokenOf(corporaOf(corpora, specification)),
    points: evaluationSteps(specification.evaluation, steps).map((step) => {
      const loss = 2 + 1 / (step + 3) + place / 997;
      return {
        step,
        tokens: step * tokensPerStep(run),
        learningRate: 1 / 3e4,
        upstream: loss,
        downstream: loss + 1 / 3,
      };
    }),
  };
}

function tooLarge(what: string, found: number, limit: number, unit: string, remedy: string): UserError {
  return new UserError("PLAN_TOO_LARGE", `${what} would have ${found} ${unit}, and at most ${limit} are read`, remedy);
}

/** Bytes of a name in a folder, on the file systems of Linux. */
const MAX_FOLDER_NAME_BYTES = 255;

const FEWER = "plan fewer runs, seeds, checkpoints or evaluations";

/** Characters of a number with all its digits, and its comma. */
const NUMBER_LENGTH = 25;

/** Characters of the losses by sampled document: of both corpora, at every point, one a window at most. */
function sampledLength({ specification: { evaluation } }: TrainedRun, { points }: Curves): number {
  return evaluation.landmarkWindows === undefined ? 0 : 2 * points.length * evaluation.windows * NUMBER_LENGTH;
}

/** Files that a run leaves beside the manifest. */
function requireReadable(run: TrainedRun, curves: Curves): void {
  const labelBytes = new TextEncoder().encode(run.label).length;
  if (labelBytes > MAX_FOLDER_NAME_BYTES) {
    throw tooLarge(
      `The folder of run "${run.label}"`,
      labelBytes,
      MAX_FOLDER_NAME_BYTES,
      "bytes",
      "shorten its arm's name",
    );
  }
  const text = `${canonicalJson(curves)}\n`;
  const name = `The curve of run "${run.label}"`;
  const length = text.length + sampledLength(run, curves);
  if (length > MAX_CURVES_LENGTH) throw tooLarge(name, length, MAX_CURVES_LENGTH, "characters", FEWER);
  parseCurves(text, run.curves.name);
  const record = RECORD_HEAD_BYTES + RECORD_STATE_BYTES * run.states.length;
  if (record > MAX_RECORD_BYTES) {
    throw tooLarge(`The record of run "${run.label}"`, record, MAX_RECORD_BYTES, "bytes", FEWER);
  }
}

/**
 * Refuses before training whatever would be refused after it.
 *
 * @throws {UserError} `PLAN_TOO_LARGE` or `NOT_STATABLE`, naming the member, its limit and what was found
 */
export async function requireStatable(options: PlanningOptions, ready: ReadyPlan): Promise<void> {
  const { plan, paper, shortages = [] } = ready;
  const planText = `${canonicalJson(planToJson(plan))}\n`;
  if (planText.length > MAX_PLAN_BYTES) throw tooLarge("The plan", planText.length, MAX_PLAN_BYTES, "bytes", FEWER);
  planFromJson(JSON.parse(planText), PLAN_FILE);
  const rules = new TextEncoder().encode(paper.text).length;
  if (rules > MAX_RULES_BYTES) {
    throw tooLarge("The file of the paper's claims", rules, MAX_RULES_BYTES, "bytes", "shorten it");
  }

  const curves = new Map<RunKey, Curves>();
  const runs: TrainedRun[] = [];
  for (const [place, run] of plan.runs.entries()) {
    const trained = placeholderRun(run, options.engine);
    const curve = placeholderCurves(run, place, ready);
    requireReadable(trained, curve);
    runs.push(trained);
    curves.set(run.key, curve);
  }
  const judgement = judgeResults(withoutPreconditions(paper.content), plan, armsOf(plan.runs, curves));
  const artefacts = placeholderArtefacts(runs);
  const container = await describeContainer();
  const input = { ...options, ...ready, shortages, runs, judgement, container, artefacts };
  const draft = predicateOf(input);
  const page = { name: REPORT_FILE, sha256: PLACEHOLDER, rendererVersion: RENDERER_VERSION };
  const predicate = { ...draft, report: page };
  const statement = checkStatement({ artefacts, predicate });
  if (typeof statement === "string") {
    throw new UserError(
      "NOT_STATABLE",
      `The manifest of this plan would not verify, so that nothing is trained: ${statement}`,
      "change what the member is made of",
    );
  }
  const payload = canonicalJson(statement);
  const bytes = envelopeBytes(new TextEncoder().encode(payload).length);
  if (bytes > MAX_MANIFEST_BYTES) throw tooLarge("The manifest", bytes, MAX_MANIFEST_BYTES, "bytes", FEWER);
  try {
    parseStrictJson(payload);
  } catch (error) {
    throw new UserError("PLAN_TOO_LARGE", `The manifest would not be read again: ${messageOf(error)}`, FEWER);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Everything that the manifest will vouch for. */
function placeholderArtefacts(runs: readonly TrainedRun[]): Artefact[] {
  const others = [PLAN_FILE, PAPER_FILE, REPORT_FILE];
  return [
    ...others.map((name): { name: string; sha256: Digest } => ({ name, sha256: PLACEHOLDER })),
    ...runs.flatMap(({ label, journal, curves, states }) => [
      { name: journal.name, sha256: PLACEHOLDER },
      curves,
      { name: `runs/${label}/run.json`, sha256: PLACEHOLDER },
      ...states.flatMap(({ checkpoint }) => checkpoint ?? []),
    ]),
  ];
}
