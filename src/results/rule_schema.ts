/**
 * The rules that test claims, as data. Every rule names the runs it reads (`experiment/arm`), the metric, the point in
 * the paper's tokens and a margin; what each kind computes is in docs/claims.md and in src/results/rules/.
 */
import { z } from "zod";
import { PAPER_DOWNSTREAM_TOKENS } from "../experiment/paper_units.ts";
import { armReference } from "./arm_reference.ts";

/** Validation loss that a rule reads. */
const metric = z.enum(["upstream", "downstream"]);

const run = armReference;

const runs = z.array(run).min(1).max(16);
const severalRuns = z.array(run).min(2).max(16);

/** Tokens of the paper's continued training, turned into a scale's steps by keeping the fraction. */
const tokens = z.number().positive().max(PAPER_DOWNSTREAM_TOKENS);

/** A point of a run; `end` is the last step that all arms of the rule have. */
const point = z.union([tokens, z.literal("end")]);

/** Name of an entry of `margins`. */
const margin = z.string().regex(/^[a-zA-Z]{1,40}$/);

/** Losses are monotone along the list; with `ties`, a step may also be flat within the margin. */
const ordered = z.strictObject({
  kind: z.literal("ordered"),
  runs: severalRuns,
  direction: z.enum(["rising", "falling"]),
  ties: z.boolean().default(false),
  metric,
  at: point,
  margin,
});

/** No two runs differ by more than the margin. */
const spreadWithin = z.strictObject({ kind: z.literal("spread-within"), runs: severalRuns, metric, at: point, margin });

/** Every run is lower than the reference. */
const below = z.strictObject({ kind: z.literal("below"), runs, reference: run, metric, at: point, margin });

/** Every run is higher than the reference. */
const above = z.strictObject({ kind: z.literal("above"), runs, reference: run, metric, at: point, margin });

/** No run is lower than the reference by more than the margin. */
const notBelow = z.strictObject({ kind: z.literal("not-below"), runs, reference: run, metric, at: point, margin });

/** One run is the lowest of all from the start until a point. */
const lowestUntil = z.strictObject({
  kind: z.literal("lowest-until"),
  run,
  others: runs,
  metric,
  until: tokens,
  margin,
});

/** One run is higher than the reference at one point and lower at a later one. */
const overtakes = z.strictObject({
  kind: z.literal("overtakes"),
  run,
  reference: run,
  metric,
  behindAt: tokens,
  aheadAt: tokens,
  margin,
});

/** Within a window after the start, every run's loss rises above where it started. */
const risesAfterRewarming = z.strictObject({
  kind: z.literal("rises-after-rewarming"),
  runs,
  metric,
  within: tokens,
  margin,
});

/** Within a window after the start, the run rises above both its start and the reference. */
const spikes = z.strictObject({ kind: z.literal("spikes"), run, reference: run, metric, within: tokens, margin });

/** At a point, every run is still higher than where it started. */
const doesNotRecover = z.strictObject({ kind: z.literal("does-not-recover"), runs, metric, at: point, margin });

/** The loss falls from the first point to the last and never rises between two of them. */
const falls = z.strictObject({
  kind: z.literal("falls"),
  run,
  metric,
  through: z.array(tokens).min(2).max(16),
  margin,
});

/** Downstream perplexity is a straight line over upstream perplexity. */
const linear = z.strictObject({
  kind: z.literal("linear"),
  runs,
  until: tokens,
  /** names of the margins at and above which R² is a line, and at and below which it is none */
  line: margin,
  noLine: margin,
});

/** The highest loss of all runs is a number of the paper. */
const peakAbout = z.strictObject({
  kind: z.literal("peak-about"),
  runs,
  metric,
  value: z.number().positive().max(100),
  margin,
});

/** Shape of a rule in `experiments/paper.yaml`. */
export const ruleSchema = z.discriminatedUnion("kind", [
  ordered,
  spreadWithin,
  below,
  above,
  notBelow,
  lowestUntil,
  overtakes,
  risesAfterRewarming,
  spikes,
  doesNotRecover,
  falls,
  linear,
  peakAbout,
]);

/** A rule: which runs are read where, and what must hold for the claim to be reproduced. */
export type Rule = z.output<typeof ruleSchema>;

/** The rule of one kind. */
export type RuleOf<Kind extends Rule["kind"]> = Extract<Rule, { kind: Kind }>;

/** Upstream or downstream validation loss. */
export type Metric = z.output<typeof metric>;

/** A point of a run in the paper's tokens. */
export type PaperPoint = z.output<typeof point>;

/** Checks of a run, a metric and a point for the numbers of `experiments/paper.yaml`. */
export const ruleParts = { run, runs, metric, tokens, point } as const;

/** Every run that a rule reads, in the order in which it names them. */
export function runsOf(rule: Rule): string[] {
  switch (rule.kind) {
    case "below":
    case "above":
    case "not-below":
      return [...rule.runs, rule.reference];
    case "lowest-until":
      return [rule.run, ...rule.others];
    case "overtakes":
    case "spikes":
      return [rule.run, rule.reference];
    case "falls":
      return [rule.run];
    default:
      return [...rule.runs];
  }
}

/** Names of the margins that a rule uses. */
export function marginsOf(rule: Rule): string[] {
  return rule.kind === "linear" ? [rule.line, rule.noLine] : [rule.margin];
}
