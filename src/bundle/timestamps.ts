/** Timestamps that are worth packing: each of this manifest, or of its plan and rules, and with a signature that holds. */
import { sha256 } from "../digest/sha256.ts";
import type { Statement } from "../manifest/format/predicate.ts";
import type { Artefact } from "../manifest/format/run.ts";
import { type ArtefactFolder, readArtefact } from "../manifest/verify/artefacts.ts";
import { findTimestamps } from "../timestamp/check.ts";
import { MAX_TIMESTAMP_BYTES } from "../timestamp/timestamp.ts";

/** An attestation or a timestamp that is not packed. */
export interface LeftCompanion {
  /** beside the manifest */
  readonly name: string;
  /** why not */
  readonly reason: string;
}

/** Looks at the timestamps beside a manifest. Whether anyone trusts their authorities is not asked. */
export async function goodTimestamps(
  artefacts: ArtefactFolder,
  manifest: Uint8Array,
  statement: Statement,
): Promise<{ readonly good: readonly Artefact[]; readonly left: readonly LeftCompanion[] }> {
  const good: Artefact[] = [];
  const left: LeftCompanion[] = [];
  for (const { name, found } of await findTimestamps(manifest, statement, artefacts)) {
    if (typeof found === "string") left.push({ name, reason: `it ${found}` });
    else if (found !== undefined) {
      good.push({ name, sha256: sha256(await readArtefact(artefacts, name, MAX_TIMESTAMP_BYTES)) });
    }
  }
  return { good, left };
}
