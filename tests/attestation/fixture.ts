/** Reviewers of the small reproduction in memory (tests/manifest/fixture.ts), and what they attest. */
import { buildAttestation, type VerificationFindings } from "../../src/attestation/build.ts";
import { type Attestation, attestationName } from "../../src/attestation/predicate.ts";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { signEnvelope } from "../../src/manifest/format/dsse.ts";
import { generateSigningKey, type SigningKey } from "../../src/manifest/keys/keys.ts";
import type { VerificationReport } from "../../src/manifest/verify/verification_report.ts";
import { verifyManifest } from "../../src/manifest/verify/verify.ts";
import type { AttestedManifest, VerifyOptions } from "../../src/manifest/verify/verify_options.ts";
import { chooseSegments, worthOf } from "../../src/retrain/choice.ts";
import type { RetrainingChoice } from "../../src/retrain/retrain.ts";
import { segmentsOf } from "../../src/retrain/segment.ts";
import { makeBundle, memoryArtefacts, testJudge } from "../manifest/fixture.ts";

const encoder = new TextEncoder();

export const bundle = await makeBundle();
export const manifestBytes = encoder.encode(bundle.envelope);
export const [ada, grace, alan] = await Promise.all([generateSigningKey(), generateSigningKey(), generateSigningKey()]);
export const manifest: AttestedManifest = {
  sha256: sha256(manifestBytes),
  statement: bundle.statement,
  signers: [bundle.key.keyId],
};

export const SEED = "00112233445566778899aabbccddeeff";
const all = segmentsOf(bundle.statement.predicate.runs);

/** Choices that no one retrains here: the outcome is taken for granted. */
export const CHOICES = {
  all: { kind: "all", segments: all, total: all.length, worth: worthOf(all, all.length) },
  drawn: { ...drawn(3), kind: "drawn" },
  repeated: { ...drawn(3), kind: "repeated" },
  named: { kind: "named", segments: all.slice(1, 3), total: all.length, worth: "Named." },
} satisfies Record<string, RetrainingChoice>;

function drawn(count: number) {
  return { segments: chooseSegments(all, count, SEED), total: all.length, seed: SEED, worth: worthOf(all, count) };
}

/** Verifies the manifest beside these attestations. */
export function verify(options: VerifyOptions = {}, attestations: ReadonlyMap<string, Uint8Array> = new Map()) {
  const artefacts = memoryArtefacts(new Map([...bundle.artefacts, ...attestations]));
  return verifyManifest(manifestBytes, artefacts, { judge: testJudge, ...options });
}

/** What a verification found, with retraining if there is a choice. */
export async function findings(
  choice?: RetrainingChoice,
): Promise<VerificationFindings & { report: VerificationReport }> {
  if (choice === undefined) return { report: await verify() };
  const retrain = () => Promise.resolve({ status: "ok", detail: "the same bits", caveats: [] } as const);
  return { report: await verify({ retrain }), choice };
}

/** What an honest reviewer attests. */
export async function attestation(choice?: RetrainingChoice): Promise<Attestation> {
  return buildAttestation("manifest.dsse.json", await findings(choice), 2);
}

/** Signs any payload in an envelope. */
export async function sealed(payload: unknown, key: SigningKey): Promise<Uint8Array> {
  return encoder.encode(await signEnvelope(encoder.encode(canonicalJson(payload)), key));
}

/** The file of an attestation, by its name. */
export function fileOf(key: SigningKey, bytes: Uint8Array): [name: string, bytes: Uint8Array] {
  return [attestationName(key.keyId), bytes];
}

/** A deep copy that a forger may change. */
// deno-lint-ignore no-explicit-any -- a forger is bound by no type
export function loose(statement: Attestation): any {
  return JSON.parse(JSON.stringify(statement));
}
