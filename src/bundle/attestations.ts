/** Reviewers' attestations that are worth packing: each signed by the key that it is called by, about this manifest. */
import { attestationName, shareOf } from "../attestation/predicate.ts";
import { retrainingOf } from "../attestation/signed_words.ts";
import { MAX_ATTESTATION_BYTES, readAttestation } from "../attestation/read.ts";
import { sha256 } from "../digest/sha256.ts";
import { parseStrictJson } from "../text/strict_json.ts";
import { UserError } from "../errors.ts";
import { type ArtefactFolder, readArtefact } from "../manifest/verify/artefacts.ts";
import { ATTESTATION_FOLDER, isAttestationName } from "../manifest/format/companions.ts";
import { readEnvelope } from "../manifest/format/dsse.ts";
import { importVerifyingKey, type VerifyingKey } from "../manifest/keys/keys.ts";
import type { Artefact } from "../manifest/format/run.ts";
import type { LeftCompanion } from "./timestamps.ts";
import type { AttestedManifest } from "../manifest/verify/verify_options.ts";

/** What lies in the folder of attestations. */
export interface FoundAttestations {
  readonly good: readonly Artefact[];
  readonly left: readonly LeftCompanion[];
}

/** Looks through the attestations beside a manifest. Whether their reviewers are known to anyone is not asked. */
export async function findAttestations(
  artefacts: ArtefactFolder,
  manifest: AttestedManifest,
): Promise<FoundAttestations> {
  const good: Artefact[] = [];
  const left: LeftCompanion[] = [];
  for (const name of (await artefacts.list(ATTESTATION_FOLDER)).filter(isAttestationName)) {
    const found = await readOne(name, artefacts, manifest);
    if (typeof found === "string") left.push({ name, reason: found });
    else good.push(found);
  }
  return { good, left };
}

async function readOne(
  name: string,
  artefacts: ArtefactFolder,
  manifest: AttestedManifest,
): Promise<Artefact | string> {
  try {
    const bytes = await readArtefact(artefacts, name, MAX_ATTESTATION_BYTES);
    const key = await embeddedKey(bytes);
    if (key === undefined) return "it does not hold its reviewer's public key";
    if (!name.startsWith(`${ATTESTATION_FOLDER}/${key.keyId}.`)) return `it is signed by another key, ${key.keyId}`;
    const attestation = await readAttestation(bytes, key, manifest);
    if (typeof attestation === "string") return attestation;
    const expected = attestationName(key.keyId, shareOf(retrainingOf(attestation.predicate.rewarm)));
    return name === expected ? { name, sha256: sha256(bytes) } : `its name should be "${expected}"`;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

async function embeddedKey(bytes: Uint8Array): Promise<VerifyingKey | undefined> {
  let value: unknown;
  try {
    value = parseStrictJson(bytes);
  } catch {
    return undefined;
  }
  const envelope = readEnvelope(value);
  const spki = typeof envelope === "string" ? undefined : envelope.signatures[0]?.publicKey;
  return spki === undefined ? undefined : await importVerifyingKey(spki, "The key in the attestation");
}
