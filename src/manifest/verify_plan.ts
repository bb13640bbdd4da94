/** `plan.json` against the runs of the statement: no run left out, none slipped in. Web-standard APIs only. */
import { canonicalJson } from "../digest/canonical_json.ts";
import { shortDigest } from "../digest/sha256.ts";
import type { Plan } from "../experiment/plan.ts";
import { planFromJson } from "../experiment/plan_json.ts";
import type { Predicate } from "./predicate.ts";
import { plannedPart } from "./run.ts";
import { parseStrictJson } from "./strict_json.ts";

/** `plan.json` is not read beyond this size, in bytes. */
export const MAX_PLAN_BYTES = 64 << 20;

/**
 * Reads the plan; a string says what is wrong with it.
 *
 * @param bytes contents of `plan.json`, whose digest was checked
 */
export function checkPlan(bytes: Uint8Array, predicate: Predicate): Plan | string {
  let plan: Plan;
  try {
    plan = planFromJson(parseStrictJson(bytes), predicate.plan.name);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (plan.planDigest !== predicate.plan.planDigest) {
    return `the plan is ${shortDigest(plan.planDigest)}, and the manifest says ${
      shortDigest(predicate.plan.planDigest)
    }`;
  }
  if (plan.scale.name !== predicate.scale) return `the plan is for scale "${plan.scale.name}"`;
  if (plan.seeds !== predicate.seeds.count) return `the plan is for ${plan.seeds} seeds`;
  const { level, arithmetic } = predicate.engine;
  if (!same(plan.engine, { level, arithmetic })) return "the plan is for another engine";
  for (const name of ["upstream", "downstream"] as const) {
    if (plan.data[name] !== predicate.corpora[name].digest) return `the plan is for another ${name} corpus`;
  }
  for (const [index, run] of predicate.runs.entries()) {
    if (!same(plan.runs[index] ?? {}, plannedPart(run))) {
      return `run "${run.label}" stands in place ${index + 1} of the manifest, and the plan has another run there`;
    }
  }
  const left = plan.runs[predicate.runs.length];
  return left === undefined ? plan : `run "${left.label}" of the plan is not in the manifest`;
}

function same(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
