/** Files that travel with a manifest although it cannot name them: they are made after it. */

/** Name of the folder beside the manifest in which reviewers' attestations lie. */
export const ATTESTATION_FOLDER = "attestations";

/** Whether a name beside the manifest is that of an attestation: it is called by its reviewer's key. */
export function isAttestationName(name: string): boolean {
  return /^attestations\/[0-9a-f]{64}\.dsse\.json$/.test(name);
}
