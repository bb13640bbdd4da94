/** Rules about the values themselves: `linear` (perplexity over perplexity) and `peak-about` (a number of the paper). */
import {
  type ArmCurves,
  CannotRead,
  commonStepsWithin,
  formatPaperTokens,
  groupBySeed,
  shortName,
} from "../arm_curves.ts";
import { type Contrast, decimal } from "../contrast.ts";
import type { RuleOf } from "../rule_schema.ts";
import { linearRegression, mean, perplexity } from "../statistics.ts";
import { type Assessment, lossInWords, LossReader, type RuleContext, seedsInWords } from "./assessment.ts";

/** Fewest evaluations through which a line says something: two always lie on one. */
const FEWEST_POINTS = 5;

/** R² of downstream over upstream perplexity, for every run by itself, from its start to the point. */
export function assessLine(rule: RuleOf<"linear">, context: RuleContext): Assessment {
  const reader = new LossReader();
  const holdsFrom = context.marginValue(rule.line), failsTo = context.marginValue(rule.noLine);
  const parts = rule.runs.map((name) => {
    const lines = groupBySeed([name], context.arms).map(({ arms }) => {
      const [arm] = arms as [ArmCurves];
      const first = arm.curves.points.slice(0, 1).map((point) => point.step);
      const steps = [...new Set([...first, ...commonStepsWithin(rule.until, arms, context)])];
      if (steps.length < FEWEST_POINTS) {
        throw new CannotRead(
          `"${name}" has ${steps.length} evaluations that the rule reads, and a line needs ${FEWEST_POINTS}`,
        );
      }
      const upstream = steps.map((step) => perplexity(reader.loss(arm, "upstream", step)));
      const downstream = steps.map((step) => perplexity(reader.loss(arm, "downstream", step)));
      const line = linearRegression(upstream, downstream);
      if (line === undefined) {
        throw new CannotRead(`a perplexity of "${name}" does not change, so that no line can be laid`);
      }
      return line;
    });
    return {
      fit: {
        label: `${shortName(name)} on a line`,
        unit: "R²",
        values: lines.map((line) => line.rSquared),
        expectation: { kind: "beyond", holdsFrom, failsTo, neutral: (holdsFrom + failsTo) / 2 },
      } satisfies Contrast,
      words: `${shortName(name)} R² ${lossInWords(lines.map((line) => line.rSquared))}, slope ` +
        decimal(mean(lines.map((line) => line.slope)), 2),
      rising: lines.every((line) => line.slope > 0),
      seeds: lines.length,
      name,
    };
  });
  const summary = parts.map((part) => part.words).join("; ");
  const falling = parts.filter((part) => !part.rising).map((part) => shortName(part.name));
  return {
    // a falling line is not "moving together": it counts as none
    contrasts: parts.map(({ fit, rising }) => rising ? fit : { ...fit, values: fit.values.map(() => 0) }),
    evidence: reader.evidence,
    finding:
      `Downstream over upstream perplexity within ${formatPaperTokens(rule.until)} tokens of the paper: ${summary}` +
      seedsInWords(parts[0]?.seeds ?? 1) +
      (falling.length === 0 ? "" : `; a falling line (${falling.join(", ")}) counts as R² 0`),
    summary,
  };
}

/** Highest loss of all runs against a number of the paper. */
export function assessPeak(rule: RuleOf<"peak-about">, context: RuleContext): Assessment {
  const reader = new LossReader();
  const peaks = groupBySeed(rule.runs, context.arms).map(({ arms }) => {
    let highest = { value: -Infinity, arm: arms[0] as ArmCurves, step: 0 };
    for (const arm of arms) {
      if (arm.curves.diverged !== undefined && arm.curves.diverged.step < arm.steps) {
        throw new CannotRead(
          `"${arm.experiment}/${arm.arm}" (seed ${arm.seedIndex}) diverged at step ${arm.curves.diverged.step}`,
        );
      }
      for (const point of arm.curves.points) {
        if (point.step > arm.steps || !(point[rule.metric] > highest.value)) continue;
        highest = { value: point[rule.metric], arm, step: point.step };
      }
    }
    if (highest.value === -Infinity) throw new CannotRead("the curves have no evaluation");
    return reader.loss(highest.arm, rule.metric, highest.step);
  });
  const summary = `highest ${rule.metric} loss ${lossInWords(peaks)}`;
  return {
    contrasts: [{
      label: `highest ${rule.metric} loss about ${rule.value}`,
      unit: "nats",
      values: peaks.map((peak) => peak - rule.value),
      expectation: { kind: "within", margin: context.marginValue(rule.margin) },
    }],
    evidence: reader.evidence,
    finding: `The ${summary}${seedsInWords(peaks.length)}`,
    summary,
  };
}
