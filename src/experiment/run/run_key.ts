/** The content key of a run. */
import { canonicalJson } from "../../digest/canonical_json.ts";
import { sha256 } from "../../digest/sha256.ts";
import type { RunKey, RunSpecification } from "./run.ts";

/**
 * Digest of everything that determines a run's bits. How many steps are trained is not part of it: a longer run of
 * the same specification begins with the shorter one, bit for bit.
 */
export function runKey(specification: RunSpecification): RunKey {
  return sha256(canonicalJson(specification)) as RunKey;
}
