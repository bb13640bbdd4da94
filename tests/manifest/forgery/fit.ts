/** Everything that hangs on a lie, made to fit it, as a forger does who wants to get past a verifier. */
import { canonicalJson } from "../../../src/digest/canonical_json.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { limitsOf } from "../../../src/manifest/format/limits.ts";
import { isTrained, type ManifestRun, plannedPart, type TrainedRun } from "../../../src/manifest/format/run.ts";
import { armsOf } from "../../../src/manifest/verify/verify_claims.ts";
import { checkpointName } from "../../../src/train/checkpoint/checkpoint_name.ts";
import { curvesOfJournal, formatCurves } from "../../../src/train/journal/journal_curves.ts";
import { parseHeader } from "../../../src/train/journal/journal_header.ts";
import {
  type EvaluationRecord,
  fromBits,
  type JournalRecord,
  parseRecord,
} from "../../../src/train/journal/journal_record.ts";
import { digestOf, testJudge, treeOf } from "../fixture.ts";
import { curvesIn, type Draft, pageOf, recordOf, RENDERER } from "./honest.ts";
import type { Random } from "./lies.ts";

const decoder = new TextDecoder();
const encode = (text: string) => new TextEncoder().encode(text);

/** Does a part of the work; what cannot be made to fit stays as it is. */
async function attempt(work: () => void | Promise<void>): Promise<void> {
  try {
    await work();
  } catch {
    // A lie may have broken what this part is made from.
  }
}

/** A journal's records, as far as they can be read. */
export function readRecords(text: string): { readonly chain: string; readonly record: JournalRecord }[] {
  return text.trimEnd().split("\n").slice(1).map((line) => parseRecord(line))
    .flatMap((parsed) => typeof parsed === "string" ? [] : [parsed]);
}

/** What a run states of its journal, curve and record. */
async function fitRun(run: TrainedRun, { artefacts }: Draft): Promise<void> {
  // deno-lint-ignore no-explicit-any -- a forger is bound by no type
  const loose = run as any;
  const text = decoder.decode(artefacts.get(run.journal.name));
  const header = parseHeader(text.split("\n")[0] ?? "", run.key);
  const records = readRecords(text);
  const last = records.at(-1);
  if (header === undefined || last === undefined) return;
  const steps = records.filter(({ record }) => record.kind === "step" || record.kind === "skip").length;
  loose.journal = { ...run.journal, root: last.chain, steps, sha256: digestOf(artefacts, run.journal.name) };
  if (loose.journal.format !== undefined) loose.journal.format = `rewarm journal v${header.version}`;
  loose.outcome = last.record.kind === "divergence" ? "diverged" : "completed";
  const folder = `runs/${run.label}/checkpoints`;
  loose.states = records.flatMap(({ record }) => {
    if (record.kind !== "state") return [];
    const name = `${folder}/${checkpointName(record.step)}`;
    const checkpoint = artefacts.has(name) ? { checkpoint: { name, sha256: digestOf(artefacts, name) } } : {};
    return [{ step: record.step, state: record.state, ...checkpoint }];
  });
  for (const name of artefacts.keys()) {
    // deno-lint-ignore no-explicit-any -- the same
    if (name.startsWith(folder) && !loose.states.some((state: any) => state.checkpoint?.name === name)) {
      artefacts.delete(name);
    }
  }
  if (header.version !== 1) {
    const divergence = last.record.kind === "divergence" ? { divergence: last.record } : {};
    const evaluations = records.map(({ record }) => record)
      .filter((record): record is EvaluationRecord => record.kind === "evaluation");
    const curve = curvesOfJournal(run, { ...header, evaluations, ...divergence });
    artefacts.set(run.curves.name, encode(formatCurves(curve)));
  }
  loose.curves = { ...run.curves, sha256: digestOf(artefacts, run.curves.name) };
  loose.merkleTree = await treeOf(loose, artefacts);
  const value = last.record.kind === "divergence" ? String(fromBits(last.record.value)) : "NaN";
  artefacts.set(`runs/${run.label}/run.json`, encode(canonicalJson(recordOf(loose, value))));
}

/** Makes parts of a draft fit: most of them, most of the time. */
export async function fit(draft: Draft, random: Random): Promise<void> {
  const { statement, artefacts, plan } = draft;
  const { predicate } = statement;
  const often = (of = 12) => random.below(of) > 0;
  const runs: readonly ManifestRun[] = Array.isArray(predicate.runs) ? predicate.runs : [];
  for (const run of runs) {
    if (often()) await attempt(() => isTrained(run) ? fitRun(run, draft) : undefined);
  }
  if (often()) {
    await attempt(() => {
      plan.runs = predicate.runs.map(plannedPart);
      if (random.below(3) > 0) return;
      plan.scale.name = predicate.scale;
      plan.seeds = predicate.seeds.count;
      plan.engine = { level: predicate.engine.level, arithmetic: predicate.engine.arithmetic };
      plan.readings = predicate.readings;
    });
  }
  if (often()) {
    await attempt(() => {
      const { planDigest: _, ...content } = plan;
      plan.planDigest = sha256(canonicalJson(content));
      artefacts.set("plan.json", encode(canonicalJson(plan)));
      predicate.plan.planDigest = plan.planDigest;
      predicate.plan.sha256 = digestOf(artefacts, "plan.json");
    });
  }
  if (often(5)) {
    await attempt(async () => {
      const arms = armsOf(predicate.runs, curvesIn(predicate.runs, artefacts));
      const judgement = await testJudge({ predicate, plan, arms });
      if (typeof judgement !== "string") predicate.claims = judgement.claims;
    });
  }
  if (often() && predicate.data !== undefined) {
    await attempt(() => void (predicate.limits = limitsOf(plan, predicate.runs, predicate.data.shortages)));
  }
  if (typeof predicate.report === "object" && predicate.report !== null) {
    if (often(4)) {
      await attempt(() => {
        artefacts.set("report.html", encode(pageOf({ predicate, plan, curves: curvesIn(predicate.runs, artefacts) })));
        predicate.report.rendererVersion = RENDERER;
      });
    }
    predicate.report.sha256 = digestOf(artefacts, predicate.report.name);
  }
  if (often()) {
    const digests = [...artefacts.keys()].map((name) => ({ name, digest: { sha256: digestOf(artefacts, name) } }));
    statement.subject = digests.sort((a, b) => a.name < b.name ? -1 : 1);
  }
}
