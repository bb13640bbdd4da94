/** `plan.json` against the runs of the statement: no run left out, none slipped in. Web-standard APIs only. */
import { canonicalJson } from "../digest/canonical_json.ts";
import { shortDigest } from "../digest/sha256.ts";
import type { Plan } from "../experiment/plan.ts";
import { planFromJson } from "../experiment/plan_json.ts";
import { printable } from "../files/safe_name.ts";
import type { Predicate } from "./predicate.ts";
import { plannedPart } from "./run.ts";
import { parseStrictJson } from "../digest/strict_json.ts";

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
  if (!same(plan.readings ?? null, predicate.readings ?? null)) {
    return "the plan reads the paper's open points otherwise";
  }
  const imported = plan.start?.state === "pinned" ? plan.start.checkpoints : undefined;
  if (!same(imported ?? null, predicate.start ?? null)) return "the plan starts from other models";
  const stray = predicate.runs.find(({ specification: { initialWeights: from } }) =>
    from.kind === "imported" && !imported?.some(({ step, weights }) => step === from.step && weights === from.weights)
  );
  if (stray !== undefined) return `run "${stray.label}" starts from a model that the plan does not name`;
  for (const [index, run] of predicate.runs.entries()) {
    if (!same(plan.runs[index] ?? {}, plannedPart(run))) {
      return `run "${run.label}" stands in place ${index + 1} of the manifest, and the plan has another run there`;
    }
  }
  const left = plan.runs[predicate.runs.length];
  if (left !== undefined) return `run "${left.label}" of the plan is not in the manifest`;
  return armsFlaw(plan) ?? plan;
}

/**
 * Arms that runs serve and the plan does not have, or that two runs serve: claims are judged by the curve of an arm, and
 * there may be one only.
 */
function armsFlaw({ experiments, runs, seeds }: Plan): string | undefined {
  const planned = new Set(experiments.flatMap(({ name, arms }) => arms.map((arm) => `${name}/${arm}`)));
  const owners = new Map<string, string>();
  for (const { label, steps, usedBy } of runs) {
    for (const { experiment, arm, seedIndex, steps: read } of usedBy) {
      const name = printable(`${experiment}/${arm}`);
      if (!planned.has(`${experiment}/${arm}`)) return `run "${label}" serves arm "${name}", which is not planned`;
      if (seedIndex >= seeds) return `run "${label}" serves seed ${seedIndex}, and there are ${seeds}`;
      if (seedIndex !== usedBy[0]?.seedIndex) {
        return `run "${label}" serves seeds ${usedBy[0]?.seedIndex} and ${seedIndex}`;
      }
      if (read > steps) return `arm "${name}" reads ${read} steps of run "${label}", which has ${steps}`;
      const owner = owners.get(`${name} ${seedIndex}`);
      if (owner !== undefined) return `runs "${owner}" and "${label}" both serve arm "${name}" at seed ${seedIndex}`;
      owners.set(`${name} ${seedIndex}`, label);
    }
  }
  return undefined;
}

function same(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
