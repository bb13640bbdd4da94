/** `plan.json` against the runs of the statement: no run left out, none slipped in. Web-standard APIs only. */
import { z } from "zod";
import { canonicalJson } from "../digest/canonical_json.ts";
import { sha256, shortDigest } from "../digest/sha256.ts";
import type { Predicate } from "./predicate.ts";
import { parseStrictJson } from "./strict_json.ts";
import type { StepOutcome } from "./verification_report.ts";

/** `plan.json` is not read beyond this size, in bytes. */
export const MAX_PLAN_BYTES = 64 << 20;

const planSchema = z.looseObject({
  scale: z.looseObject({ name: z.string() }),
  seeds: z.number(),
  engine: z.unknown(),
  planDigest: z.string(),
  runs: z.array(z.looseObject({ label: z.string() })),
});

/** @param bytes contents of `plan.json`, whose digest was checked */
export function checkPlan(bytes: Uint8Array, predicate: Predicate): StepOutcome {
  const failed = (detail: string): StepOutcome => ({ status: "failed", detail });
  const name = predicate.plan.name;
  let plan: z.infer<typeof planSchema>;
  let content: Record<string, unknown>;
  try {
    plan = planSchema.parse(parseStrictJson(bytes));
    const { planDigest: _, ...rest } = plan;
    content = rest;
  } catch (error) {
    return failed(`"${name}" is no plan: ${error instanceof z.ZodError ? "members are missing" : error}`);
  }
  const computed = sha256(canonicalJson(content));
  if (computed !== plan.planDigest || computed !== predicate.plan.planDigest) {
    return failed(
      `the plan's content has digest ${shortDigest(computed)}, its file names ${
        shortDigest(plan.planDigest)
      }, the manifest ${shortDigest(predicate.plan.planDigest)}`,
    );
  }
  if (plan.scale.name !== predicate.scale) return failed(`the plan is for scale "${plan.scale.name}"`);
  if (plan.seeds !== predicate.seeds.count) return failed(`the plan is for ${plan.seeds} seeds`);
  const { level, arithmetic } = predicate.engine;
  if (!same(plan.engine, { level, arithmetic })) return failed("the plan is for another engine");
  for (const [index, { key, label, specification, steps, usedBy }] of predicate.runs.entries()) {
    const { checkpointSteps: _, ...planned } = plan.runs[index] ?? { checkpointSteps: [] };
    if (!same(planned, { key, label, specification, steps, usedBy })) {
      return failed(`run "${label}" stands in place ${index + 1} of the manifest, and the plan has another run there`);
    }
  }
  const left = plan.runs[predicate.runs.length];
  if (left !== undefined) return failed(`run "${left.label}" of the plan is not in the manifest`);
  return { status: "ok", detail: `all ${plan.runs.length} planned runs are in the manifest` };
}

function same(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
