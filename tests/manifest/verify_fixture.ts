/** A small manifest with its artefacts, and what tests of its verification do to both. */
import assert from "node:assert/strict";
import { generateSigningKey } from "../../src/manifest/keys/keys.ts";
import {
  formatVerification,
  type StepName,
  type VerificationReport,
} from "../../src/manifest/verify/verification_report.ts";
import { verifyManifest } from "../../src/manifest/verify/verify.ts";
import type { VerifyOptions } from "../../src/manifest/verify/verify_options.ts";
import {
  type Artefacts,
  digestOf,
  forge,
  loose,
  makeBundle,
  memoryArtefacts,
  testJudge,
  testPlan,
  treeOf,
} from "./fixture.ts";

export const bundle = await makeBundle();
export const plan = await testPlan();
export const attacker = await generateSigningKey();
export const trusted = [{ name: "the maker", key: bundle.key }];
export const encoder = new TextEncoder();

export function verify(
  changes: { envelope?: string | Uint8Array; artefacts?: Artefacts; options?: VerifyOptions } = {},
): Promise<VerificationReport> {
  const { envelope = bundle.envelope, artefacts = bundle.artefacts, options = {} } = changes;
  const bytes = typeof envelope === "string" ? encoder.encode(envelope) : envelope;
  return verifyManifest(bytes, memoryArtefacts(artefacts), { judge: testJudge, ...options });
}

/** The step must have this status for this reason, and the verdict follow. */
export function expect(
  report: VerificationReport,
  name: StepName,
  status: "failed" | "not checked",
  reason: RegExp,
): void {
  const step = report.steps.find((step) => step.name === name);
  assert.equal(step?.status, status, formatVerification(report));
  assert.match(step.detail, reason);
  assert.equal(report.exitCode, report.verdict === "failed" ? 1 : 2);
  assert.notEqual(report.verdict, "verified");
}

/** Artefacts with one replaced, or removed. */
export function replaced(name: string, contents: string | Uint8Array | undefined): Artefacts {
  const copy = new Map(bundle.artefacts);
  assert.ok(copy.delete(name), name);
  if (contents !== undefined) copy.set(name, typeof contents === "string" ? encoder.encode(contents) : contents);
  return copy;
}

export const artefactText = (name: string) => new TextDecoder().decode(bundle.artefacts.get(name));

/** A statement whose digests were made to fit changed artefacts, signed by the attacker. */
// deno-lint-ignore no-explicit-any -- a forger is bound by no type
export async function resigned(artefacts: Artefacts, change: (statement: any) => void = () => {}): Promise<Uint8Array> {
  const forged = loose(bundle.statement);
  for (const subject of forged.subject) subject.digest.sha256 = digestOf(artefacts, subject.name);
  for (const run of forged.predicate.runs) {
    for (const item of [run.journal, run.curves]) item.sha256 = digestOf(artefacts, item.name);
  }
  forged.predicate.plan.sha256 = digestOf(artefacts, "plan.json");
  change(forged);
  for (const run of forged.predicate.runs) run.merkleTree = await treeOf(run, artefacts);
  return await forge(forged, attacker);
}

const [, run] = plan.runs;
if (run === undefined) throw new Error("The plan has too few runs");
export const plainRun = run;
export const folder = `runs/${plainRun.label}`;
