/** The manifest that forgers start from, and the verifier that they have to get past. */
import { canonicalJson } from "../../../src/digest/canonical_json.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { isTrained, type TrainedRun } from "../../../src/manifest/format/run.ts";
import { verifyManifest } from "../../../src/manifest/verify/verify.ts";
import type { Judge } from "../../../src/manifest/verify/verify_claims.ts";
import type { VerificationReport } from "../../../src/manifest/verify/verification_report.ts";
import type { VerifyOptions } from "../../../src/manifest/verify/verify_options.ts";
import type { PageEvidence } from "../../../src/manifest/verify/verify_report.ts";
import type { Curves } from "../../../src/results/curves.ts";
import { checkpointName } from "../../../src/train/checkpoint/checkpoint_name.ts";
import { type Artefacts, memoryArtefacts, testJudge } from "../fixture.ts";
import { bundle, trustedKeys } from "../fuzz_fixture.ts";

/** A version of a renderer whose page is quickly made: a digest of all that it is made from. */
export const RENDERER = "a page of tests";
/** Day of the verification. */
export const NOW = Date.parse("2026-12-24T12:00:00Z");

const decoder = new TextDecoder();
const encode = (text: string) => new TextEncoder().encode(text);

/** The page of a manifest. */
export function pageOf({ predicate, plan, curves }: Pick<PageEvidence, "predicate" | "plan" | "curves">): string {
  const { tool, claims, comparisons, runs, engine, environment, data } = predicate;
  return `page ${sha256(canonicalJson({ tool, claims, comparisons, runs, engine, environment, data }))} of plan ` +
    `${plan.planDigest} with ${sha256(canonicalJson([...curves.values()]))}`;
}

/** What a run leaves as its record. */
export function recordOf(run: TrainedRun, value = "NaN"): unknown {
  const { key, label, journal, outcome, states, curves } = run;
  const checkpoints = states.flatMap(({ step, checkpoint }) =>
    checkpoint === undefined ? [] : [[checkpointName(step), checkpoint.sha256] as const]
  );
  return {
    format: "rewarm run v1",
    key,
    label,
    steps: journal.steps,
    outcome: outcome === "completed" ? { kind: outcome } : { kind: outcome, step: journal.steps, value },
    journalRoot: journal.root,
    states: states.map(({ step, state }) => ({ step, state })),
    files: { journal: journal.sha256, curves: curves.sha256, checkpoints: Object.fromEntries(checkpoints) },
  };
}

/** Curves of a statement's trained runs, as far as they can be read. */
// deno-lint-ignore no-explicit-any -- a forger is bound by no type
export function curvesIn(runs: readonly any[], artefacts: Artefacts): Map<any, Curves> {
  return new Map(
    runs.filter(isTrained).map((run) => [run.key, JSON.parse(decoder.decode(artefacts.get(run.curves.name)))] as const),
  );
}

/** What a forger may change. */
export interface Draft {
  // deno-lint-ignore no-explicit-any -- a forger is bound by no type
  statement: any;
  artefacts: Artefacts;
  /** `plan.json` */
  // deno-lint-ignore no-explicit-any -- the same
  plan: any;
}

/** A copy of the honest manifest, with the records of its runs and a page of its own; nothing in it is signed. */
export function honestDraft(): Draft {
  const artefacts = new Map(bundle.artefacts);
  const statement = JSON.parse(JSON.stringify(bundle.statement));
  for (const run of statement.predicate.runs) {
    artefacts.set(`runs/${run.label}/run.json`, encode(canonicalJson(recordOf(run))));
  }
  const plan = JSON.parse(decoder.decode(artefacts.get("plan.json")));
  const { predicate } = statement;
  const page = encode(pageOf({ predicate, plan, curves: curvesIn(predicate.runs, artefacts) }));
  artefacts.set("report.html", page);
  predicate.report = { name: "report.html", sha256: sha256(page), rendererVersion: RENDERER };
  return { statement, artefacts, plan };
}

const honestPlan = honestDraft().plan;

/** Judges only by the rules that the honest manifest names. */
const judge: Judge = (evidence) =>
  evidence.predicate.paper.sha256 === bundle.statement.predicate.paper.sha256
    ? testJudge(evidence)
    : "the rules that were signed are not at hand";

const options: VerifyOptions = {
  judge,
  trustedKeys,
  now: NOW,
  renderer: { version: RENDERER, render: (evidence) => Promise.resolve(pageOf(evidence)) },
  replan: (_, inputs) =>
    Promise.resolve({
      isSame: canonicalJson(inputs) === canonicalJson(bundle.statement.predicate.inputs),
      planDigest: honestPlan.planDigest,
    }),
};

/** Verifies as somebody who knows the forger's key, has the experiments, the rules and the renderer, and trains nothing. */
export async function verifyForgery(bytes: Uint8Array, artefacts: Artefacts): Promise<VerificationReport> {
  return await verifyManifest(bytes, memoryArtefacts(artefacts), options);
}
