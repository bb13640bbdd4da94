/** A forger's tools: a small real reproduction, changed, made consistent again, and signed with a key of the forger. */
import assert from "node:assert/strict";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { type Digest, sha256 } from "../../src/digest/sha256.ts";
import { openCorpora } from "../../src/data/corpora.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import { planFromJson } from "../../src/experiment/plan/plan_json.ts";
import type { Plan } from "../../src/experiment/plan/plan.ts";
import type { PlannedRun, RunKey } from "../../src/experiment/run/run.ts";
import { signEnvelope } from "../../src/manifest/format/dsse.ts";
import { folderArtefacts } from "../../src/manifest/verify/folder_artefacts.ts";
import { generateSigningKey } from "../../src/manifest/keys/keys.ts";
import { judgeResults } from "../../src/results/paper_judge.ts";
import { paperJudge } from "../../src/results/paper_judge.ts";
import type { TrainedRun } from "../../src/manifest/format/run.ts";
import type { Statement } from "../../src/manifest/format/predicate.ts";
import { readTree } from "../../src/manifest/format/run_tree.ts";
import { armsOf } from "../../src/manifest/verify/verify_claims.ts";
import { parameterCount } from "../../src/model/config.ts";
import { retrain, type Retraining, type RetrainingOptions } from "../../src/retrain/retrain.ts";
import { loadPaper, PAPER_FILE } from "../../src/reproduce/paper_file.ts";
import { parseCurves } from "../../src/results/curves_schema.ts";
import { checkpointName, readCheckpoint, writeCheckpoint } from "../../src/train/checkpoint/checkpoint.ts";
import { readJournalFile } from "../../src/train/journal/journal.ts";
import { curvePoint, formatCurves } from "../../src/train/journal/journal_curves.ts";
import {
  type BytesPerToken,
  chainStart,
  formatHeader,
  type JournalHeader,
} from "../../src/train/journal/journal_header.ts";
import {
  chainNext,
  formatRecord,
  fromBits,
  type JournalRecord,
  parseRecord,
} from "../../src/train/journal/journal_record.ts";
import { RunFolder } from "../../src/train/folder/run_folder.ts";
import { stateDigest } from "../../src/train/checkpoint/state_digest.ts";
import { DATA_CACHE, kernelCache, reproduceSmoke } from "../reproduce/smoke.ts";
import { FIXTURE_CATALOGUE } from "../experiment/plan/plan_fixture.ts";

export const PARENT = "upstream_pretrain_seed-0";
export const RUN_1 = "warmup-length_1%_seed-0";
export const RUN_2 = "max-learning-rate_2x_seed-0";
const ARMS = ["warmup-length/0%", "max-learning-rate/1x", "max-learning-rate/2x", "earlier-checkpoints/7%-warmup-0%"];

export const smokeEngine = () => createExactEngine({ threads: 1, sha256, cache: kernelCache });
const paper = await loadPaper(FIXTURE_CATALOGUE);

/** The honest reproduction, made once. */
export const honest: string = `${await Deno.makeTempDir()}/honest`;
await reproduceSmoke(honest, 1, { only: ARMS });
globalThis.addEventListener("unload", () => Deno.removeSync(honest.slice(0, -"/honest".length), { recursive: true }));

/** Judges by the rules of the reproduction. */
export const judge = paperJudge(paper.text, PAPER_FILE);

/** Verifies the manifest of a folder or a bundle and retrains. */
export async function retrainFolder(
  path: string,
  pieces: RetrainingOptions["pieces"] = { kind: "all" },
  options: Partial<RetrainingOptions> = {},
): Promise<Retraining> {
  return await retrain(path, {
    pieces,
    engine: smokeEngine,
    dataCache: DATA_CACHE,
    judge,
    ...options,
  });
}

/** Calls `use` with a copy of the honest folder. */
export async function withCopy(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await copyFolder(honest, folder);
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

/** The statement of a folder's manifest, loose as a forger sees it. */
// deno-lint-ignore no-explicit-any -- a forger is bound by no type
async function readStatement(folder: string): Promise<any> {
  const envelope = JSON.parse(await Deno.readTextFile(`${folder}/manifest.dsse.json`));
  return JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(envelope.payload)));
}

export async function readPlan(folder: string): Promise<Plan> {
  return planFromJson(JSON.parse(await Deno.readTextFile(`${folder}/plan.json`)), "plan.json");
}

export async function plannedRun(folder: string, label: string): Promise<PlannedRun> {
  const run = (await readPlan(folder)).runs.find((run) => run.label === label);
  if (run === undefined) throw new Error(label);
  return run;
}

/** Makes the record of a run say what its files say. */
async function rewriteRecord(
  folder: string,
  { label, key, outcome, journal }: TrainedRun,
  subjects: readonly { readonly name: string }[],
): Promise<void> {
  const path = new RunFolder(folder, label);
  const { chain, steps, states } = await readJournalFile(path.journal, key);
  const names = states.map(({ step }) => checkpointName(step));
  const saved = names.filter((name) =>
    subjects.some((subject) => subject.name === `runs/${label}/checkpoints/${name}`)
  );
  const checkpoints: Record<string, Digest> = {};
  for (const name of saved) checkpoints[name] = sha256(await Deno.readFile(`${path.checkpoints}/${name}`));
  assert(outcome === "completed", journal.name);
  await path.writeRecord({
    format: "rewarm run v1",
    key,
    label,
    steps,
    outcome: { kind: outcome },
    journalRoot: chain,
    states: states.map(({ step, state }) => ({ step, state })),
    files: { journal: await path.digest(path.journal), curves: await path.digest(path.curves), checkpoints },
  });
}

/** Recomputes every digest, root, state and claim from the files, and signs as the forger. */
// deno-lint-ignore no-explicit-any -- a forger is bound by no type
export async function resign(folder: string, change: (statement: any) => void = () => {}): Promise<void> {
  const statement = await readStatement(folder);
  change(statement);
  for (const run of statement.predicate.runs) await rewriteRecord(folder, run, statement.subject);
  for (const subject of statement.subject) {
    subject.digest.sha256 = sha256(await Deno.readFile(`${folder}/${subject.name}`));
  }
  const digests = new Map<string, string>();
  for (const { name, digest } of statement.subject) digests.set(name, digest.sha256);
  const { predicate } = statement;
  predicate.plan.sha256 = digests.get("plan.json");
  const curves = new Map();
  for (const run of predicate.runs) {
    const path = `${folder}/runs/${run.label}`;
    const reading = await readJournalFile(`${path}/journal.jsonl`, run.key);
    Object.assign(run.journal, { sha256: digests.get(run.journal.name), root: reading.chain, steps: reading.steps });
    run.states = reading.states.map(({ step, state }) => {
      const name = `runs/${run.label}/checkpoints/${checkpointName(step)}`;
      const digest = digests.get(name);
      return { step, state, checkpoint: digest === undefined ? undefined : { name, sha256: digest } };
    });
    run.merkleTree = (await readTree(run, folderArtefacts(folder))).tree;
    run.curves.sha256 = digests.get(run.curves.name);
    curves.set(run.key, parseCurves(await Deno.readTextFile(`${path}/curves.json`), "curves.json"));
  }
  Object.assign(predicate, judgeResults(paper.content, await readPlan(folder), armsOf(predicate.runs, curves)));
  const payload = new TextEncoder().encode(canonicalJson(statement as Statement));
  await Deno.writeTextFile(
    `${folder}/manifest.dsse.json`,
    await signEnvelope(payload, await generateSigningKey()),
  );
}

/** All records of a run's journal. */
export async function readRecords(folder: string, label: string): Promise<JournalRecord[]> {
  const [, ...lines] = (await Deno.readTextFile(new RunFolder(folder, label).journal)).trimEnd().split("\n");
  return lines.map((line) => {
    const parsed = parseRecord(line);
    if (typeof parsed === "string") throw new Error(parsed);
    return parsed.record;
  });
}

/** Writes a journal with a chain of its own, and the curve that follows: good for any verifier that trains nothing. */
export async function writeRecords(
  folder: string,
  label: string,
  key: RunKey,
  records: readonly JournalRecord[],
  change: (bytesPerToken: BytesPerToken) => BytesPerToken = (bytesPerToken) => bytesPerToken,
): Promise<void> {
  const { journal, curves } = new RunFolder(folder, label);
  const earlier = parseCurves(await Deno.readTextFile(curves), curves);
  const bytesPerToken = change(earlier.bytesPerToken);
  const header: JournalHeader = { version: 2, run: key, bytesPerToken };
  let chain = chainStart(header);
  const lines = records.map((record) => {
    chain = chainNext(chain, record);
    return formatRecord(record, chain);
  });
  await Deno.writeTextFile(journal, `${[formatHeader(header), ...lines].join("\n")}\n`);
  const points = records.flatMap((record) => record.kind === "evaluation" ? [curvePoint(record)] : []);
  const end = records.at(-1);
  const diverged = end?.kind === "divergence"
    ? { diverged: { step: end.step, loss: String(fromBits(end.value)) } }
    : {};
  await Deno.writeTextFile(curves, formatCurves({ ...earlier, runKey: key, bytesPerToken, points, ...diverged }));
}

/** Says in every journal and curve, and of the corpus, that a token of the upstream text stands for twice as many bytes. */
export async function doubleBytesPerToken(folder: string): Promise<void> {
  const twice = ({ upstream, downstream }: BytesPerToken) => ({ upstream: 2 * upstream, downstream });
  for (const { label, key } of (await readPlan(folder)).runs) {
    await writeRecords(folder, label, key, await readRecords(folder, label), twice);
  }
  await resign(folder, ({ predicate }) => {
    const { summary } = predicate.corpora.upstream;
    summary["validation bytes"] = String(2 * Number(summary["validation bytes"]));
  });
}

/** Changes a checkpoint's vectors, and gives the digest of the state it then holds. */
export async function rewriteCheckpoint(
  folder: string,
  run: PlannedRun,
  step: number,
  key: RunKey,
  change: (weights: Float32Array) => void = () => {},
) {
  const { model, batchSequences } = run.specification;
  const vector = () => new Float32Array(parameterCount(model));
  const state = { weights: vector(), firstMoments: vector(), secondMoments: vector() };
  const path = `${folder}/runs/${run.label}/checkpoints/${checkpointName(step)}`;
  await readCheckpoint(path, model, state, { run: run.key, step });
  change(state.weights);
  const dataPosition = step * batchSequences;
  const digest = stateDigest(state, step, dataPosition);
  await writeCheckpoint(path, model, state, { run: key, step, dataPosition, state: digest });
  return digest;
}

/** The smoke scale's corpora. */
export async function smokeCorpora() {
  return await openCorpora({ source: { kind: "npm" }, sequenceLength: 32, cacheFolder: DATA_CACHE });
}
