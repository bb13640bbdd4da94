/** Rules about who leads when: `lowest-until`, `overtakes`. */
import {
  type ArmCurves,
  commonStepNear,
  commonStepsWithin,
  formatPaperTokens,
  groupBySeed,
  paperTokensOf,
  shortName,
} from "../arm_curves.ts";
import { pointAt } from "../curves.ts";
import type { RuleOf } from "../rule_schema.ts";
import { type Assessment, lossInWords, LossReader, type RuleContext, seedsInWords, stepInWords } from "./assessment.ts";
import { directional } from "./comparisons.ts";

/** One run against the best of the others at every common evaluation after step 0 and up to the point. */
export function assessLowestUntil(rule: RuleOf<"lowest-until">, context: RuleContext): Assessment {
  const reader = new LossReader();
  const margin = context.marginValue(rule.margin);
  const name = shortName(rule.run);
  const read = groupBySeed([rule.run, ...rule.others], context.arms).map(({ arms }) => {
    const steps = commonStepsWithin(rule.until, arms, context);
    const leads = steps.map((step) => {
      const [own, ...others] = arms.map((arm) => pointAt(arm.curves, step)?.[rule.metric] ?? NaN);
      return { step, lead: (Math.min(...others) - (own ?? NaN)) / (own ?? NaN) };
    });
    const worst = leads.reduce((a, b) => b.lead < a.lead ? b : a);
    const best = leads.reduce((a, b) => b.lead > a.lead ? b : a);
    const lost = leads.find(({ lead }) => lead < 0)?.step;
    for (const step of [best.step, worst.step]) for (const arm of arms) reader.loss(arm, rule.metric, step);
    return { worst, best, lost };
  });
  const first = read[0];
  const until = formatPaperTokens(rule.until);
  const summary = first?.lost === undefined
    ? `${name} lowest throughout ${until}`
    : `${name} lowest until ${formatPaperTokens(paperTokensOf(first.lost, context))}`;
  return {
    contrasts: [{
      label: `${name} never behind the best other`,
      unit: "share of loss",
      values: read.map((r) => r.worst.lead),
      expectation: { kind: "not-below", margin },
    }, {
      label: `${name} ahead of all others at some point`,
      unit: "share of loss",
      values: read.map((r) => r.best.lead),
      expectation: { kind: "beyond", holdsFrom: margin, failsTo: 0, neutral: 0 },
    }],
    evidence: reader.evidence,
    finding: first?.lost === undefined
      ? `The ${rule.metric} loss of ${name} is the lowest at every evaluation within ${until} tokens of the paper`
      : `Within ${until} tokens of the paper, the ${rule.metric} loss of ${name} first loses the lead at ` +
        `${stepInWords(first.lost, context)}${read.length === 1 ? "" : " at the first seed"}`,
    summary,
  };
}

/** Behind at one point, ahead at a later one. */
export function assessOvertaking(rule: RuleOf<"overtakes">, context: RuleContext): Assessment {
  const reader = new LossReader();
  const expectation = directional(context.marginValue(rule.margin));
  const groups = groupBySeed([rule.run, rule.reference], context.arms);
  const at = (tokens: number) =>
    groups.map(({ arms }) => {
      const [run, reference] = arms as [ArmCurves, ArmCurves];
      const step = commonStepNear(tokens, arms, context);
      return { run: reader.loss(run, rule.metric, step), reference: reader.loss(reference, rule.metric, step) };
    });
  const before = at(rule.behindAt), after = at(rule.aheadAt);
  const run = shortName(rule.run), reference = shortName(rule.reference);
  const words = (read: typeof before, tokens: number) =>
    `${run} ${lossInWords(read.map((r) => r.run))}, ${reference} ${lossInWords(read.map((r) => r.reference))} at ` +
    formatPaperTokens(tokens);
  const summary = `${words(before, rule.behindAt)}; ${words(after, rule.aheadAt)}`;
  return {
    contrasts: [{
      label: `${run} behind ${reference} at ${formatPaperTokens(rule.behindAt)}`,
      unit: "share of loss",
      values: before.map((r) => (r.run - r.reference) / r.reference),
      expectation,
    }, {
      label: `${run} ahead of ${reference} at ${formatPaperTokens(rule.aheadAt)}`,
      unit: "share of loss",
      values: after.map((r) => (r.reference - r.run) / r.reference),
      expectation,
    }],
    evidence: reader.evidence,
    finding: `By tokens of the paper, the ${rule.metric} loss is ${summary}${seedsInWords(groups.length)}`,
    summary,
  };
}
