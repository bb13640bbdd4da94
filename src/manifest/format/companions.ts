/** Files that travel with a manifest although it cannot name them. Web-standard APIs only. */
import { foldName } from "../../files/safe_name.ts";

/** Name of the manifest in an output folder and in a bundle. */
export const MANIFEST_FILE = "manifest.dsse.json";

/** Name of a bundle's description for archives: docs/verification.md, "Bundles". */
export const RO_CRATE_FILE = "ro-crate-metadata.json";

/** Name of the folder beside the manifest in which reviewers' attestations lie. */
export const ATTESTATION_FOLDER = "attestations";

/** Name of the folder beside the manifest in which timestamps lie, and requests for them. */
export const TIMESTAMP_FOLDER = "timestamps";

/** An authority's response about plan and rules, which existed at its time: docs/verification.md, "Timestamps". */
export const PLAN_TIMESTAMP = `${TIMESTAMP_FOLDER}/plan.tsr`;

/** An authority's response about the manifest. */
export const MANIFEST_TIMESTAMP = `${TIMESTAMP_FOLDER}/manifest.tsr`;

/** Every timestamp that may lie beside a manifest. */
export const TIMESTAMPS = [PLAN_TIMESTAMP, MANIFEST_TIMESTAMP] as const;

/** Whether a name beside the manifest is that of an attestation or a timestamp, which no manifest can name. */
export function isWitnessName(name: string): boolean {
  return isAttestationName(name) || TIMESTAMPS.some((timestamp) => timestamp === name);
}

/**
 * Whether a name beside the manifest is that of an attestation: it is called by its reviewer's key, and by its share where
 * it is about one of several.
 */
export function isAttestationName(name: string): boolean {
  return /^attestations\/[0-9a-f]{64}(\.share-[1-9]\d{0,5}-of-[1-9]\d{0,5})?\.dsse\.json$/.test(name);
}

/**
 * Why an artefact must not have a name; `undefined` if it may. On systems that do not tell letter case apart it would
 * be the manifest, an attestation or a timestamp, or stand where their folders stand.
 */
export function companionNameReason(name: string): string | undefined {
  const [first] = foldName(name).split("/");
  if (first === foldName(MANIFEST_FILE)) {
    return `is that of the manifest, "${MANIFEST_FILE}", where letter case is not told apart`;
  }
  if (first === foldName(RO_CRATE_FILE)) {
    return `is that of a bundle's description, "${RO_CRATE_FILE}", where letter case is not told apart`;
  }
  if (first === foldName(ATTESTATION_FOLDER)) {
    return `is in the folder "${ATTESTATION_FOLDER}", where letter case is not told apart, and that is the reviewers'`;
  }
  if (first === foldName(TIMESTAMP_FOLDER)) {
    return `is in the folder "${TIMESTAMP_FOLDER}", where letter case is not told apart, and that is the authorities'`;
  }
  return undefined;
}
