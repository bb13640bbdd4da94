/** Small manifests for fuzzing, the same in every run of the tests, so that what was found can be found again. */
import assert from "node:assert/strict";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { type Digest, sha256 } from "../../src/digest/sha256.ts";
import { parseSigningKey, type SigningKey } from "../../src/manifest/keys/keys.ts";
import { toPem } from "../../src/manifest/keys/pem.ts";
import { signStatement } from "../../src/manifest/statement.ts";
import { VERIFICATION_STEPS, type VerificationReport } from "../../src/manifest/verify/verification_report.ts";
import { verifyManifest } from "../../src/manifest/verify/verify.ts";
import type { VerifyOptions } from "../../src/manifest/verify/verify_options.ts";
import { fixedPlan } from "../experiment/plan/plan_fixture.ts";
import { type Artefacts, type Bundle, makeBundle, memoryArtefacts, testJudge } from "./fixture.ts";

/** PKCS #8 of an Ed25519 key up to its 32 secret bytes (RFC 8410). */
const PKCS8_HEAD = Uint8Array.fromHex("302e020100300506032b657004220420");

/** The key whose secret is 32 times this byte. */
async function fixedKey(byte: number): Promise<SigningKey> {
  const der = Uint8Array.of(...PKCS8_HEAD, ...new Uint8Array(32).fill(byte));
  return await parseSigningKey(toPem("PRIVATE KEY", der), "a key of the tests");
}

/** Signs the manifests. */
export const maker = await fixedKey(1);
/** Signs what it makes of them. */
export const attacker = await fixedKey(2);
/** The verifier knows the maker. */
export const trustedKeys = [{ name: "the maker", key: maker }];

const PHASE = {
  steps: 16,
  batchSequences: 4,
  checkpointInterval: 8,
  evaluation: { interval: 8, denseInterval: 4, denseUntilStep: 8 },
};

async function smallBundle(corpusDigests: { upstream: Digest; downstream: Digest }): Promise<Bundle> {
  const plan = await fixedPlan("smoke", {
    only: ["warmup-length/0%", "warmup-length/0.5%"],
    corpusDigests,
    overrides: { pretraining: PHASE, continuing: { ...PHASE, steps: 36 } },
  });
  const bundle = await makeBundle(plan);
  return { ...bundle, key: maker, envelope: await signStatement(bundle.statement, maker) };
}

/** Pre-training and two arms, of which one diverges. */
export const bundle = await smallBundle({ upstream: sha256("upstream"), downstream: sha256("downstream") });
/** The same plan on other data: another valid manifest in which everything has the same place. */
export const otherBundle = await smallBundle({ upstream: sha256("other"), downstream: sha256("data") });

/** Verifies. Whatever is verified, the report is whole and its exit code follows from its steps. */
export async function report(
  bytes: Uint8Array,
  artefacts: Artefacts,
  options: VerifyOptions = {},
): Promise<VerificationReport> {
  const report = await verifyManifest(bytes, memoryArtefacts(artefacts), { judge: testJudge, ...options });
  assert.deepEqual(report.steps.map(({ name }) => name), [...VERIFICATION_STEPS]);
  const failed = report.steps.some(({ status }) => status === "failed");
  assert.equal(report.verdict === "failed", failed);
  assert.equal(report.exitCode, { verified: 0, failed: 1, "could not check": 2 }[report.verdict]);
  return report;
}

/** The first step that failed. */
export function failedStep({ steps }: VerificationReport): string {
  return steps.find(({ status }) => status === "failed")?.name ?? "none";
}

/**
 * What a signer is not free in: all of it follows from something else in the manifest, the plan, the journals or the
 * curves. Environment, limits, command, inputs and the like are the signer's word.
 */
// deno-lint-ignore no-explicit-any -- what a forger signs is bound by no type
export function boundPart({ predicate, ...statement }: any): string {
  const { scale, plan, seeds, engine, corpora, readings, start = null, runs, claims, comparisons } = predicate;
  return canonicalJson({
    types: [statement._type, statement.predicateType],
    ...{ scale, plan, readings, start, runs, claims, comparisons, seeds: seeds.count },
    engine: [engine.level, engine.arithmetic],
    corpora: [corpora.upstream.digest, corpora.downstream.digest],
  });
}

/** Each subject stands once, and is as its artefact is. */
// deno-lint-ignore no-explicit-any -- the same
export function assertSubjects({ subject }: any, artefacts: Artefacts): void {
  assert.equal(new Set(subject.map(({ name }: { name: string }) => name)).size, subject.length);
  for (const { name, digest } of subject) assert.equal(digest.sha256, sha256(artefacts.get(name) ?? "missing"), name);
}
