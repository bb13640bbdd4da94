/** What is timestamped: before training plan and rules, afterwards the manifest. Web-standard APIs only. */
import type { Digest } from "../digest/sha256.ts";
import { PLAN_TIMESTAMP } from "../manifest/format/companions.ts";

/** A file by its name and digest. */
export interface NamedDigest {
  readonly name: string;
  readonly sha256: Digest;
}

/**
 * The bytes that stand for a plan and the rules by which its results will be judged: three lines, so that anybody can
 * write them down and ask OpenSSL (docs/verification.md, "Timestamps").
 *
 * @param plan `plan.json`
 * @param rules `paper.yaml`
 */
export function planMessage(plan: NamedDigest, rules: NamedDigest): Uint8Array<ArrayBuffer> {
  const lines = ["rewarm plan and rules v1", `${plan.sha256}  ${plan.name}`, `${rules.sha256}  ${rules.name}`];
  return new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
}

/** What a timestamp is of, as people read it, by the name of its file. */
export function stampedWords(name: string): string {
  return name === PLAN_TIMESTAMP ? "plan and rules" : "the manifest";
}
