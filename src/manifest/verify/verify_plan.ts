/** `plan.json` against the runs of the statement: no run left out, none slipped in. Web-standard APIs only. */
import { canonicalJson } from "../../digest/canonical_json.ts";
import { ownMember } from "../../digest/own_member.ts";
import { shortDigest } from "../../digest/sha256.ts";
import type { Plan } from "../../experiment/plan/plan.ts";
import { tokensPerStep } from "../../experiment/plan/cost.ts";
import { importedStartOf } from "../../experiment/run/run_starts.ts";
import type { Scale } from "../../experiment/scale/scale.ts";
import type { ModelConfig } from "../../model/config.ts";
import { planFromJson } from "../../experiment/plan/plan_json.ts";
import { printable } from "../../files/safe_name.ts";
import { limitsOf } from "../format/limits.ts";
import { type Predicate, TOOL_VERSION } from "../format/predicate.ts";
import { armsFlaw } from "../consistency/plan_arms.ts";
import { plannedPart } from "../format/run.ts";
import { parseStrictJson } from "../../text/strict_json.ts";

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
  const ofMixes = Object.entries(predicate.corpora.mixes ?? {}).map(([mix, { digest }]) => [mix, digest] as const);
  if (!same(plan.data.mixes ?? {}, Object.fromEntries(ofMixes))) return "the plan is for other mixes";
  if (!same(plan.readings ?? null, predicate.readings ?? null)) {
    return "the plan reads the paper's open points otherwise";
  }
  const imported = plan.start?.state === "pinned" ? plan.start.checkpoints : undefined;
  if (!same(imported ?? null, predicate.start ?? null)) return "the plan starts from other models";
  const stray = predicate.runs.find(({ specification: { initialWeights } }) => {
    const from = importedStartOf(initialWeights);
    return from !== undefined && !imported?.some(({ step, weights }) => step === from.step && weights === from.weights);
  });
  if (stray !== undefined) return `run "${stray.label}" starts from a model that the plan does not name`;
  for (const [index, run] of predicate.runs.entries()) {
    if (!same(plan.runs[index] ?? {}, plannedPart(run))) {
      return `run "${run.label}" stands in place ${index + 1} of the manifest, and the plan has another run there`;
    }
  }
  const left = plan.runs[predicate.runs.length];
  if (left !== undefined) return `run "${left.label}" of the plan is not in the manifest`;
  return armsFlaw(plan) ?? runsFlaw(plan) ?? limitsFlaw(plan, predicate) ?? plan;
}

/** Limits follow from the plan, the runs and the data. Another version may have had other words for them. */
function limitsFlaw(plan: Plan, { limits, runs, data, tool }: Predicate): string | undefined {
  if (data === undefined || tool.version !== TOOL_VERSION) return undefined;
  const expected = limitsOf(plan, runs, data.shortages);
  if (same(limits, expected)) return undefined;
  const missing = expected.find((limit) => !limits.includes(limit));
  return missing === undefined
    ? "the manifest states limits that do not follow from its plan, its runs and its data"
    : `the manifest does not state the limit "${printable(missing, 300)}"`;
}

/** What the plan says of its scale, its engine and its cost must be so of its runs. */
function runsFlaw({ scale, engine, data, runs, totals }: Plan): string | undefined {
  const phases = [scale.pretraining, scale.continuing];
  for (const { label, specification } of runs) {
    const { corpus, validation } = specification;
    const facts: Record<string, [planned: unknown, own: unknown]> = {
      engine: [engine, specification.engine],
      model: [modelsOf(scale).find((model) => same(model, specification.model)), specification.model],
      optimizer: [scale.optimizer, specification.optimizer],
      "gradient blocks": [scale.gradientBlockSequences, specification.gradientBlockSequences],
      "evaluation windows": [
        { windows: scale.evaluationWindows, landmarks: scale.landmarkWindows ?? null },
        { windows: specification.evaluation.windows, landmarks: specification.evaluation.landmarkWindows ?? null },
      ],
      "corpus": [corpus.name === "upstream" ? data.upstream : downstreamOf(data, corpus.mix), corpus.digest],
      "validation text": [{ upstream: data.upstream, downstream: downstreamOf(data, corpus.mix) }, validation],
    };
    const other = Object.entries(facts).find(([, [planned, own]]) => !same(planned, own))?.[0];
    if (other !== undefined) return `run "${label}" has another ${other} than its plan`;
    const isPhase = phases.some(({ batchSequences, checkpointInterval }) =>
      batchSequences === specification.batchSequences && checkpointInterval === specification.checkpointInterval
    );
    if (!isPhase) return `run "${label}" has a batch and an interval of checkpoints that its plan has in neither phase`;
  }
  const steps = runs.reduce((sum, run) => sum + run.steps, 0);
  const tokens = runs.reduce((sum, run) => sum + run.steps * tokensPerStep(run), 0);
  const arms = runs.reduce((sum, { usedBy }) => sum + usedBy.length, 0);
  const counted = { steps, tokens, runs: runs.length, arms };
  if (same(counted, { steps: totals.steps, tokens: totals.tokens, runs: totals.runs, arms: totals.arms })) {
    return undefined;
  }
  return "the plan's totals are not those of its runs";
}

/** What stands for downstream in a run; nothing if the plan has no such mix. */
function downstreamOf({ downstream, mixes = {} }: Plan["data"], mix: string | undefined): string | null {
  return mix === undefined ? downstream : ownMember(mixes, mix) ?? null;
}

/** Shapes of models that a scale has. */
function modelsOf({ model, models = {} }: Scale): ModelConfig[] {
  return [model, ...Object.values(models)].map(({ config }) => config);
}

function same(a: unknown, b: unknown): boolean {
  return canonicalJson(a ?? null) === canonicalJson(b ?? null);
}
