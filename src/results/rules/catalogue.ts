/**
 * Every kind of rule that there is. A new one is a file in `kinds/`, a member of {@linkcode Rule} and an entry of
 * {@linkcode RULES}; the schema of claims, their words, their budget and their judging follow from here.
 */
import { type Above, above } from "./kinds/above.ts";
import { type Below, below } from "./kinds/below.ts";
import { type DoesNotRecover, doesNotRecover } from "./kinds/does_not_recover.ts";
import { type Falls, falls } from "./kinds/falls.ts";
import { type Linear, linear } from "./kinds/linear.ts";
import { type LowestUntil, lowestUntil } from "./kinds/lowest_until.ts";
import { type NotBelow, notBelow } from "./kinds/not_below.ts";
import { type Ordered, ordered } from "./kinds/ordered.ts";
import { type Overtakes, overtakes } from "./kinds/overtakes.ts";
import { type PeakAbout, peakAbout } from "./kinds/peak_about.ts";
import { type RisesAfterRewarming, risesAfterRewarming } from "./kinds/rises_after_rewarming.ts";
import { type Spikes, spikes } from "./kinds/spikes.ts";
import { type SpreadWithin, spreadWithin } from "./kinds/spread_within.ts";
import type { RuleKind } from "./rule_kind.ts";

/** A rule: which runs are read where, and what must hold for the claim to be reproduced. */
export type Rule =
  | Ordered
  | SpreadWithin
  | Below
  | Above
  | NotBelow
  | LowestUntil
  | Overtakes
  | RisesAfterRewarming
  | Spikes
  | DoesNotRecover
  | Falls
  | Linear
  | PeakAbout;

/** Kinds of rules by their names, in the order in which messages and the documentation list them. */
export const RULES: { readonly [Kind in Rule["kind"]]: RuleKind<Extract<Rule, { readonly kind: Kind }>> } = {
  "ordered": ordered,
  "spread-within": spreadWithin,
  "below": below,
  "above": above,
  "not-below": notBelow,
  "lowest-until": lowestUntil,
  "overtakes": overtakes,
  "rises-after-rewarming": risesAfterRewarming,
  "spikes": spikes,
  "does-not-recover": doesNotRecover,
  "falls": falls,
  "linear": linear,
  "peak-about": peakAbout,
};

/** Names of all kinds. */
export const RULE_KINDS = Object.keys(RULES) as [Rule["kind"], ...Rule["kind"][]];

/** What knows a kind of rule; the caller gives it only rules of that kind. */
export function ruleKind(kind: Rule["kind"]): RuleKind<Rule> {
  return RULES[kind];
}
