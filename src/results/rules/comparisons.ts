/** Rules that compare runs with each other at one point: `ordered`, `spread-within`, `below`, `above`, `not-below`. */
import { commonStepNear, groupBySeed, type SeedGroup, shortName } from "../arm_curves.ts";
import type { Contrast, Expectation } from "../contrast.ts";
import type { Metric, PaperPoint, RuleOf } from "../rule_schema.ts";
import { type Assessment, lossInWords, LossReader, type RuleContext, seedsInWords, stepInWords } from "./assessment.ts";

/** Losses of the named runs at the common step of each seed. */
interface Losses {
  readonly names: readonly string[];
  /** [seed][run] */
  readonly bySeed: readonly (readonly number[])[];
  readonly steps: readonly number[];
  readonly reader: LossReader;
}

function readLosses(names: readonly string[], metric: Metric, at: PaperPoint, context: RuleContext): Losses {
  const reader = new LossReader();
  const groups: SeedGroup[] = groupBySeed(names, context.arms);
  const steps = groups.map((group) => commonStepNear(at, group.arms, context));
  const bySeed = groups.map((group, index) => group.arms.map((arm) => reader.loss(arm, metric, steps[index] ?? NaN)));
  return { names, bySeed, steps, reader };
}

/** (loss of `a` − loss of `b`) / loss of `b`, one a seed. */
function relativeDifferences({ bySeed }: Losses, a: number, b: number): number[] {
  return bySeed.map((losses) => ((losses[a] ?? NaN) - (losses[b] ?? NaN)) / (losses[b] ?? NaN));
}

function assessment(losses: Losses, metric: Metric, contrasts: Contrast[], context: RuleContext): Assessment {
  const list = losses.names.map((name, run) =>
    `${shortName(name)} ${lossInWords(losses.bySeed.map((l) => l[run] ?? NaN))}`
  );
  const summary = list.join(", ");
  const where = stepInWords(losses.steps[0] ?? NaN, context);
  return {
    contrasts,
    evidence: losses.reader.evidence,
    finding: `At ${where} the ${metric} loss is ${summary}${seedsInWords(losses.bySeed.length)}`,
    summary,
  };
}

/** Expectation of a directional difference: shown beyond +margin, its opposite beyond −margin. */
export function directional(margin: number): Expectation {
  return { kind: "beyond", holdsFrom: margin, failsTo: -margin, neutral: 0 };
}

/** Consecutive runs of the list, each above (rising) or below (falling) the one before. */
export function assessOrdered(rule: RuleOf<"ordered">, context: RuleContext): Assessment {
  const losses = readLosses(rule.runs, rule.metric, rule.at, context);
  const margin = context.marginValue(rule.margin);
  const expectation: Expectation = rule.ties ? { kind: "not-below", margin } : directional(margin);
  const word = rule.direction === "rising" ? "above" : "below";
  const contrasts = rule.runs.slice(1).map((name, before): Contrast => {
    const after = before + 1;
    const rise = relativeDifferences(losses, after, before);
    return {
      label: `${shortName(name)} ${rule.ties ? "level with or " : ""}${word} ${shortName(rule.runs[before] ?? "")}`,
      unit: "share of loss",
      values: rule.direction === "rising" ? rise : rise.map((value) => -value),
      expectation,
    };
  });
  return assessment(losses, rule.metric, contrasts, context);
}

/** All pairs of runs, each difference relative to the earlier of the list. */
export function assessSpread(rule: RuleOf<"spread-within">, context: RuleContext): Assessment {
  const losses = readLosses(rule.runs, rule.metric, rule.at, context);
  const expectation: Expectation = { kind: "within", margin: context.marginValue(rule.margin) };
  const contrasts = rule.runs.flatMap((first, a) =>
    rule.runs.slice(a + 1).map((second, offset): Contrast => ({
      label: `${shortName(second)} like ${shortName(first)}`,
      unit: "share of loss",
      values: relativeDifferences(losses, a + 1 + offset, a),
      expectation,
    }))
  );
  return assessment(losses, rule.metric, contrasts, context);
}

/** Every run against the reference. */
export function assessAgainst(rule: RuleOf<"below" | "above" | "not-below">, context: RuleContext): Assessment {
  const names = [...rule.runs, rule.reference];
  const losses = readLosses(names, rule.metric, rule.at, context);
  const margin = context.marginValue(rule.margin);
  const contrasts = rule.runs.map((name, run): Contrast => {
    const excess = relativeDifferences(losses, run, rule.runs.length);
    return {
      label: `${shortName(name)} ${rule.kind === "not-below" ? "not below" : rule.kind} ${shortName(rule.reference)}`,
      unit: "share of loss",
      values: rule.kind === "below" ? excess.map((value) => -value) : excess,
      expectation: rule.kind === "not-below" ? { kind: "not-below", margin } : directional(margin),
    };
  });
  return assessment(losses, rule.metric, contrasts, context);
}
