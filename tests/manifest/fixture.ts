/** A small reproduction with invented losses: everything a manifest speaks of, in memory. */
import type { Digest } from "../../src/digest/sha256.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { UserError } from "../../src/errors.ts";
import { seedsOf } from "../../src/experiment/run/seeds.ts";
import { isCheckpointStep, isEvaluationStep } from "../../src/experiment/run/evaluation.ts";
import type { Plan } from "../../src/experiment/plan/plan.ts";
import { planToJson } from "../../src/experiment/plan/plan_json.ts";
import type { PlannedRun } from "../../src/experiment/run/run.ts";
import type { ArtefactReader } from "../../src/manifest/verify/artefacts.ts";
import { PAYLOAD_TYPE, preAuthenticationEncoding } from "../../src/manifest/format/dsse.ts";
import { generateSigningKey, signBytes, type SigningKey } from "../../src/manifest/keys/keys.ts";
import { limitsOf } from "../../src/manifest/format/limits.ts";
import { type Predicate, type Statement, TOOL_VERSION } from "../../src/manifest/format/predicate.ts";
import type { MerkleTreeHead, TrainedRun } from "../../src/manifest/format/run.ts";
import { type CommittedRun, leafCount, readTree } from "../../src/manifest/format/run_tree.ts";
import { buildStatement, signStatement } from "../../src/manifest/statement.ts";
import { armsOf, type Judge, type Judgement } from "../../src/manifest/verify/verify_claims.ts";
import type { ArmCurves } from "../../src/results/arm_curves.ts";
import type { CurvePoint, Curves } from "../../src/results/curves.ts";
import { learningRateTable } from "../../src/schedule/learning_rate.ts";
import { checkpointName } from "../../src/train/checkpoint/checkpoint.ts";
import { evaluationRecord } from "../../src/train/journal/journal_curves.ts";
import { chainStart, formatHeader, journalFormat, type JournalHeader } from "../../src/train/journal/journal_header.ts";
import { chainNext, formatRecord, type JournalRecord, toBits } from "../../src/train/journal/journal_record.ts";
import { fixedPlan } from "../experiment/plan/plan_fixture.ts";
import { present } from "../present.ts";
import { validationOf, withDocuments } from "./documents_fixture.ts";

/** Artefacts by name. */
export type Artefacts = Map<string, Uint8Array>;

/** A manifest with its artefacts and the key that signed it. */
export interface Bundle {
  readonly artefacts: Artefacts;
  readonly statement: Statement;
  readonly envelope: string;
  readonly key: SigningKey;
}

const encoder = new TextEncoder();

/** Counts of a corpus of bytes. */
const SUMMARY = {
  "train documents": "20",
  "validation documents": "2",
  "train tokens": "640000",
  "validation tokens": "64000",
  "train bytes": "640000",
  "validation bytes": "64000",
  "train windows": "19999",
  "validation windows": "1999",
  "share of a domain": "0.25",
  "share of another": "0.75",
};

/** Reads artefacts out of memory. */
export function memoryArtefacts(artefacts: Artefacts): ArtefactReader {
  return {
    async *open(name) {
      const bytes = artefacts.get(name);
      if (bytes === undefined) throw new UserError("FILE_NOT_FOUND", `"${name}" is not there`);
      yield bytes.slice();
    },
  };
}

/** A single claim, judged from the last points of all curves: enough to notice any change of them. */
export const testJudge: Judge = ({ arms }) => judged(arms);

function judged(arms: readonly ArmCurves[]): Judgement {
  const last = arms.map(({ experiment, arm, runKey, curves }) => ({
    name: `${experiment}/${arm}`,
    runKey,
    point: curves.points.at(-1),
  }));
  const numbers = last.map(({ name, point }) => ({ name, value: String(point?.downstream) }));
  return {
    claims: [{
      id: "ends",
      title: "Every run ends",
      statement: "Every run has a last loss.",
      section: "4.1",
      figure: "",
      confidence: "A",
      verdict: "reproduced",
      rule: "There is a last point.",
      reason: "There is one in each curve.",
      summary: "all end",
      numbers,
      evidence: last.map(({ name, runKey, point }) => ({
        label: name,
        runKey,
        step: point?.step ?? 0,
        tokens: point?.tokens ?? 0,
        value: String(point?.downstream),
      })),
    }],
    comparisons: [],
  };
}

const bytesPerToken = { upstream: 1, downstream: 1 };

/** The journal of a run, with losses that depend on the run's key. */
export function journalText(
  run: PlannedRun,
  divergesAt = Infinity,
  change: (record: JournalRecord) => JournalRecord = (record) => record,
  furtherStates: readonly number[] = [],
) {
  const rates = learningRateTable(run.specification.schedule);
  const validation = validationOf(run.specification);
  const header: JournalHeader = validation === undefined
    ? { version: 2, run: run.key, bytesPerToken }
    : { version: 3, run: run.key, bytesPerToken, validation };
  const lines = [formatHeader(header)];
  const states: { step: number; state: Digest }[] = [];
  let chain = chainStart(header);
  const append = (record: JournalRecord) => {
    const changed = change(record);
    chain = chainNext(chain, changed);
    lines.push(formatRecord(changed, chain));
    if (changed.kind === "state") states.push({ step: changed.step, state: changed.state });
  };
  let step = 0;
  for (;; step++) {
    const due = step === 0 || isCheckpointStep(run.specification, step) || furtherStates.includes(step);
    if (due) append({ kind: "state", step, state: sha256(checkpointBytes(run, step)) });
    if (isEvaluationStep(run.specification.evaluation, step)) append(evaluationRecord(pointOf(run, step)));
    const batch = sha256(`batch ${step}`);
    if (step === run.steps) break;
    if (step === divergesAt) {
      append({ kind: "divergence", step, divergence: "loss", value: "7fc00000", batch });
      break;
    }
    const loss = toBits(5 - step / 64 + Number.parseInt(run.key.slice(0, 4), 16) / 1e5);
    append({ kind: "step", step, lr: toBits(rates[step] ?? 0), loss, gradientNorm: "3f800000", batch });
  }
  return { text: `${lines.join("\n")}\n`, root: chain, steps: step, states };
}

function checkpointBytes(run: PlannedRun, step: number): Uint8Array {
  return encoder.encode(`state of ${run.key} at ${step}`);
}

function pointOf({ specification }: PlannedRun, step: number): CurvePoint {
  const rates = learningRateTable(specification.schedule);
  return withDocuments(specification, {
    step,
    tokens: step * specification.batchSequences * specification.model.sequenceLength,
    learningRate: rates[Math.min(step, rates.length - 1)] ?? 0,
    upstream: 2 + step / 100,
    downstream: 3 - step / 100,
  });
}

/** Changes a point of a run, as a forger does who fits journal and curve to it. */
type ChangePoint = (point: CurvePoint) => CurvePoint;

function curvesOf(run: PlannedRun, steps: number, diverged: boolean, change: ChangePoint): Curves {
  const { specification, key, label } = run;
  const tokensPerStep = specification.batchSequences * specification.model.sequenceLength;
  const validation = validationOf(specification);
  const evaluated = Array.from({ length: steps + 1 }, (_, step) => step)
    .filter((step) => isEvaluationStep(specification.evaluation, step));
  return {
    runKey: key,
    label,
    tokensPerStep,
    bytesPerToken,
    ...(validation === undefined ? {} : { validation }),
    points: evaluated.map((step) => change(pointOf(run, step))),
    ...(diverged ? { diverged: { step: steps, loss: "NaN" } } : {}),
  };
}

/** Runs with their files: `0.5%` diverges at step 5. */
async function makeRun(
  run: PlannedRun,
  artefacts: Artefacts,
  change: ChangePoint,
): Promise<{ run: TrainedRun; curves: Curves }> {
  const divergesAt = run.label.includes("0.5%") ? 5 : Infinity;
  const folder = `runs/${run.label}`;
  const add = (name: string, bytes: Uint8Array) => {
    artefacts.set(`${folder}/${name}`, bytes);
    return { name: `${folder}/${name}`, sha256: sha256(bytes) };
  };
  const journal = journalText(
    run,
    divergesAt,
    (record) => record.kind === "evaluation" ? evaluationRecord(change(pointOf(run, record.step))) : record,
  );
  const curves = curvesOf(run, journal.steps, divergesAt !== Infinity, change);
  const states = journal.states.map(({ step, state }) => ({
    step,
    state,
    ...(step === 0 ? {} : { checkpoint: add(`checkpoints/${checkpointName(step)}`, checkpointBytes(run, step)) }),
  }));
  const evidence: CommittedRun = {
    specification: run.specification,
    key: run.key,
    outcome: divergesAt === Infinity ? "completed" as const : "diverged" as const,
    journal: {
      ...add("journal.jsonl", encoder.encode(journal.text)),
      format: journalFormat(run.specification),
      root: journal.root,
      steps: journal.steps,
    },
    states,
  };
  const merkleTree = await treeOf(evidence, artefacts);
  const curvesArtefact = add("curves.json", encoder.encode(`${canonicalJson(curves)}\n`));
  return { run: { ...run, ...evidence, merkleTree, curves: curvesArtefact, origin: "trained" }, curves };
}

/** The plan of the fixture: pre-training and three arms. */
export function testPlan(): Promise<Plan> {
  return fixedPlan("smoke", { only: ["warmup-length/0%", "warmup-length/0.5%", "warmup-length/1%"] });
}

/**
 * Makes and signs everything for a plan, that of {@linkcode testPlan} if none is given.
 *
 * @param change of every point, in journals as in curves
 */
export async function makeBundle(given?: Plan, change: ChangePoint = (point) => point): Promise<Bundle> {
  const plan = given ?? await testPlan();
  const artefacts: Artefacts = new Map();
  artefacts.set("plan.json", encoder.encode(canonicalJson(planToJson(plan))));
  artefacts.set("report.html", encoder.encode("<!doctype html>"));
  const made: Awaited<ReturnType<typeof makeRun>>[] = [];
  for (const run of plan.runs) made.push(await makeRun(run, artefacts, change));
  const curves = new Map(made.map(({ run, curves }) => [run.key, curves]));
  const { claims, comparisons } = judged(armsOf(plan.runs, curves));
  const [upstream, downstream] = plan.data.state === "pinned" ? [plan.data.upstream, plan.data.downstream] : [];
  if (upstream === undefined || downstream === undefined) throw new Error("The plan has no data");
  const runs = made.map(({ run }) => run);
  const predicate: Predicate = {
    tool: { name: "rewarm", version: TOOL_VERSION },
    scale: plan.scale.name,
    plan: { name: "plan.json", sha256: digestOf(artefacts, "plan.json"), planDigest: plan.planDigest },
    paper: { name: "experiments/paper.yaml", sha256: sha256("the rules") },
    inputs: [{ name: "deno.lock", sha256: sha256("a lock file") }],
    container: { none: "run outside the container" },
    environment: {
      deno: "2.9.6",
      v8: "15",
      typescript: "6",
      os: "linux",
      architecture: "x86_64",
      cpu: "a test, 2 threads",
      threads: 2,
      gpu: "none",
      permissions: ["read", "write"],
      libraries: {},
    },
    engine: { name: "exact", ...plan.engine, description: { kernels: sha256("kernels") } },
    seeds: {
      count: plan.seeds,
      values: Array.from({ length: plan.seeds }, (_, index) => {
        const { init, pretrainingOrder, continuingOrder } = seedsOf(index);
        return { initialWeights: init, pretrainingOrder, continuingOrder };
      }),
    },
    corpora: { upstream: { digest: upstream, summary: SUMMARY }, downstream: { digest: downstream, summary: SUMMARY } },
    data: { source: "scale", tokenUnit: "byte", shortages: [] },
    readings: plan.readings ?? {},
    report: { name: "report.html", sha256: digestOf(artefacts, "report.html"), rendererVersion: "a test" },
    runs,
    claims,
    comparisons,
    limits: limitsOf(plan, runs, []),
    command: ["reproduce"],
    metadata: { createdAt: "2026-11-30T00:00:00Z" },
  };
  const key = await generateSigningKey();
  const statement = present(buildStatement({
    artefacts: [...artefacts.keys()].map((name) => ({ name, sha256: digestOf(artefacts, name) })),
    predicate,
  }));
  return { artefacts, statement, envelope: await signStatement(statement, key), key };
}

/** The head of a run's tree as a forger fits it to what the run states, whatever its journal is. */
export async function treeOf(run: CommittedRun, artefacts: Artefacts): Promise<MerkleTreeHead> {
  const { tree } = await readTree(run, memoryArtefacts(artefacts));
  return { ...tree, treeSize: leafCount(run) };
}

/** Digest of an artefact as it is now. */
export function digestOf(artefacts: Artefacts, name: string): Digest {
  return sha256(artefacts.get(name) ?? new Uint8Array());
}

/** Signs any payload, as a forger would, who is bound by no schema. */
export async function forge(payload: unknown, key: SigningKey, payloadType = PAYLOAD_TYPE): Promise<Uint8Array> {
  const bytes = encoder.encode(typeof payload === "string" ? payload : JSON.stringify(payload));
  const sig = await signBytes(key, preAuthenticationEncoding(payloadType, bytes));
  return encoder.encode(JSON.stringify({
    payloadType,
    payload: bytes.toBase64(),
    signatures: [{ keyid: key.keyId, sig: sig.toBase64(), publicKey: key.spki.toBase64() }],
  }));
}

/** A deep copy that may be changed: what a forger starts from. */
// deno-lint-ignore no-explicit-any -- a forger is bound by no type
export function loose(statement: Statement): any {
  return JSON.parse(JSON.stringify(statement));
}
