/** Rules about a run's own way: `rises-after-rewarming`, `spikes`, `does-not-recover`, `falls`. */
import {
  type ArmCurves,
  CannotRead,
  commonStepNear,
  commonStepsWithin,
  formatPaperTokens,
  groupBySeed,
  shortName,
} from "../arm_curves.ts";
import type { Contrast, Expectation } from "../contrast.ts";
import { pointAt } from "../curves.ts";
import type { Metric, RuleOf } from "../rule_schema.ts";
import { type Assessment, lossInWords, LossReader, type RuleContext, seedsInWords, stepInWords } from "./assessment.ts";
import { directional } from "./comparisons.ts";

/** A rise over the start is refuted where there is none at all: the margin guards the claim, not its absence. */
function rise(margin: number): Expectation {
  return { kind: "beyond", holdsFrom: margin, failsTo: 0, neutral: 0 };
}

function startLoss(arm: ArmCurves, metric: Metric, reader: LossReader): number {
  if (arm.curves.points[0]?.step !== 0) {
    throw new CannotRead(`the curve of "${arm.experiment}/${arm.arm}" does not begin at step 0`);
  }
  return reader.loss(arm, metric, 0);
}

/** Step among these at which a value is largest; the first of equals. */
function largestAt(steps: readonly number[], value: (step: number) => number): number {
  let best = steps[0] ?? NaN;
  for (const step of steps) if (value(step) > value(best)) best = step;
  return best;
}

function unread(arm: ArmCurves, metric: Metric, step: number): number {
  return pointAt(arm.curves, step)?.[metric] ?? NaN;
}

/** Highest loss in the window against the loss at step 0, for every run by itself. */
export function assessRise(rule: RuleOf<"rises-after-rewarming">, context: RuleContext): Assessment {
  const reader = new LossReader();
  const expectation = rise(context.marginValue(rule.margin));
  const parts = rule.runs.map((name) => {
    const arms = groupBySeed([name], context.arms).flatMap((group) => group.arms);
    const read = arms.map((arm) => {
      const start = startLoss(arm, rule.metric, reader);
      const steps = commonStepsWithin(rule.within, [arm], context);
      const at = largestAt(steps, (step) => unread(arm, rule.metric, step));
      return { start, peak: reader.loss(arm, rule.metric, at), at };
    });
    const contrast: Contrast = {
      label: `${shortName(name)} above its start`,
      unit: "share of loss",
      values: read.map(({ start, peak }) => (peak - start) / start),
      expectation,
    };
    const start = lossInWords(read.map((r) => r.start)), peak = lossInWords(read.map((r) => r.peak));
    return { contrast, words: `${shortName(name)} ${start} → ${peak}`, seeds: read.length };
  });
  const summary = parts.map((part) => part.words).join(", ");
  return {
    contrasts: parts.map((part) => part.contrast),
    evidence: reader.evidence,
    finding: `From the start to the highest point within ${formatPaperTokens(rule.within)} tokens of the paper the ` +
      `${rule.metric} loss goes ${summary}${seedsInWords(parts[0]?.seeds ?? 1)}`,
    summary,
  };
}

/** Largest excess in the window over both the run's start and the reference at the same step. */
export function assessSpike(rule: RuleOf<"spikes">, context: RuleContext): Assessment {
  const reader = new LossReader();
  const read = groupBySeed([rule.run, rule.reference], context.arms).map(({ arms }) => {
    const [arm, reference] = arms as [ArmCurves, ArmCurves];
    const steps = commonStepsWithin(rule.within, arms, context);
    const start = startLoss(arm, rule.metric, reader);
    const floor = (step: number) => Math.max(start, unread(reference, rule.metric, step));
    const at = largestAt(steps, (step) => unread(arm, rule.metric, step) - floor(step));
    const loss = reader.loss(arm, rule.metric, at);
    return {
      at,
      start,
      loss,
      reference: reader.loss(reference, rule.metric, at),
      excess: (loss - floor(at)) / floor(at),
    };
  });
  const run = shortName(rule.run), reference = shortName(rule.reference);
  const summary = `${run} ${lossInWords(read.map((r) => r.loss))}, ${reference} ` +
    `${lossInWords(read.map((r) => r.reference))}, start ${lossInWords(read.map((r) => r.start))}`;
  return {
    contrasts: [{
      label: `${run} above its start and ${reference}`,
      unit: "share of loss",
      values: read.map((r) => r.excess),
      expectation: rise(context.marginValue(rule.margin)),
    }],
    evidence: reader.evidence,
    finding:
      `At ${stepInWords(read[0]?.at ?? NaN, context)}, where ${run} stands out most, the ${rule.metric} loss is ` +
      `${summary}${seedsInWords(read.length)}`,
    summary,
  };
}

/** Loss at the point against the loss at step 0, for every run by itself. */
export function assessNoRecovery(rule: RuleOf<"does-not-recover">, context: RuleContext): Assessment {
  const reader = new LossReader();
  const expectation = rise(context.marginValue(rule.margin));
  let firstStep: number | undefined;
  const parts = rule.runs.map((name) => {
    const read = groupBySeed([name], context.arms).map(({ arms }) => {
      const [arm] = arms as [ArmCurves];
      const step = commonStepNear(rule.at, arms, context);
      firstStep ??= step;
      return { start: startLoss(arm, rule.metric, reader), end: reader.loss(arm, rule.metric, step) };
    });
    const contrast: Contrast = {
      label: `${shortName(name)} still above its start`,
      unit: "share of loss",
      values: read.map(({ start, end }) => (end - start) / start),
      expectation,
    };
    const start = lossInWords(read.map((r) => r.start)), end = lossInWords(read.map((r) => r.end));
    return { contrast, words: `${shortName(name)} ${start} → ${end}`, seeds: read.length };
  });
  const summary = parts.map((part) => part.words).join(", ");
  return {
    contrasts: parts.map((part) => part.contrast),
    evidence: reader.evidence,
    finding: `From the start to ${stepInWords(firstStep ?? NaN, context)} the ${rule.metric} loss goes ${summary}` +
      seedsInWords(parts[0]?.seeds ?? 1),
    summary,
  };
}

/** Fall from the first point to the last, and no rise beyond the margin from one point to the next. */
export function assessFall(rule: RuleOf<"falls">, context: RuleContext): Assessment {
  const reader = new LossReader();
  const margin = context.marginValue(rule.margin);
  const groups = groupBySeed([rule.run], context.arms);
  const bySeed = groups.map(({ arms }) =>
    rule.through.map((point) => reader.loss(arms[0] as ArmCurves, rule.metric, commonStepNear(point, arms, context)))
  );
  const fall = (from: number, to: number) =>
    bySeed.map((losses) => ((losses[from] ?? NaN) - (losses[to] ?? NaN)) / (losses[from] ?? NaN));
  const points = rule.through.map(formatPaperTokens);
  const last = rule.through.length - 1;
  const whole: Contrast = {
    label: `falls from ${points[0]} to ${points[last]}`,
    unit: "share of loss",
    values: fall(0, last),
    expectation: directional(margin),
  };
  const parts = points.slice(1).map((to, from): Contrast => ({
    label: `no rise from ${points[from]} to ${to}`,
    unit: "share of loss",
    values: fall(from, from + 1),
    expectation: { kind: "not-below", margin },
  }));
  const summary = points.map((point, i) => `${point} ${lossInWords(bySeed.map((l) => l[i] ?? NaN))}`).join(", ");
  return {
    contrasts: [whole, ...parts],
    evidence: reader.evidence,
    finding: `By tokens of the paper, the ${rule.metric} loss of ${shortName(rule.run)} is ${summary}` +
      seedsInWords(bySeed.length),
    summary,
  };
}
