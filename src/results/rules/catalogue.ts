/**
 * Every kind of rule that there is. A new one is a file in `kinds/`, a member of {@linkcode Rule} and an entry of
 * {@linkcode RULES}; the schema of claims, their words, their budget and their judging follow from here.
 */
import { type Above, above } from "./kinds/above.ts";
import { type Below, below } from "./kinds/below.ts";
import { type DoesNotRecover, doesNotRecover } from "./kinds/does_not_recover.ts";
import { type DoseResponse, doseResponse } from "./kinds/dose_response.ts";
import { type EachAbove, eachAbove } from "./kinds/each_above.ts";
import { type Falls, falls } from "./kinds/falls.ts";
import { type Horizon, horizon } from "./kinds/horizon.ts";
import { type Learned, learned } from "./kinds/learned.ts";
import { type Linear, linear } from "./kinds/linear.ts";
import { type LowestAt, lowestAt } from "./kinds/lowest_at.ts";
import { type LowestUntil, lowestUntil } from "./kinds/lowest_until.ts";
import { type MoreLinear, moreLinear } from "./kinds/more_linear.ts";
import { type NotBelow, notBelow } from "./kinds/not_below.ts";
import { type Ordered, ordered } from "./kinds/ordered.ts";
import { type Overtakes, overtakes } from "./kinds/overtakes.ts";
import { type PeakAbout, peakAbout } from "./kinds/peak_about.ts";
import { type PeaksAbove, peaksAbove } from "./kinds/peaks_above.ts";
import { type RisesAfterRewarming, risesAfterRewarming } from "./kinds/rises_after_rewarming.ts";
import { type RisesThenFalls, risesThenFalls } from "./kinds/rises_then_falls.ts";
import { type Spikes, spikes } from "./kinds/spikes.ts";
import { type SpreadWithin, spreadWithin } from "./kinds/spread_within.ts";
import type { RuleKind } from "./rule_kind.ts";

/** A rule: which runs are read where, and what must hold for the claim to be reproduced. */
export type Rule =
  | Ordered
  | SpreadWithin
  | Below
  | Above
  | EachAbove
  | NotBelow
  | LowestAt
  | Overtakes
  | PeaksAbove
  | RisesThenFalls
  | DoesNotRecover
  | Falls
  | MoreLinear
  | PeakAbout
  | DoseResponse
  | Learned
  | Horizon
  | LowestUntil
  | RisesAfterRewarming
  | Spikes
  | Linear;

/** Kinds of rules by their names, in the order in which messages and the documentation list them. */
export const RULES: { readonly [Kind in Rule["kind"]]: RuleKind<Extract<Rule, { readonly kind: Kind }>> } = {
  "ordered": ordered,
  "spread-within": spreadWithin,
  "below": below,
  "above": above,
  "each-above": eachAbove,
  "not-below": notBelow,
  "lowest-at": lowestAt,
  "overtakes": overtakes,
  "peaks-above": peaksAbove,
  "rises-then-falls": risesThenFalls,
  "does-not-recover": doesNotRecover,
  "falls": falls,
  "more-linear": moreLinear,
  "peak-about": peakAbout,
  "dose-response": doseResponse,
  "learned": learned,
  "horizon": horizon,
  "lowest-until": lowestUntil,
  "rises-after-rewarming": risesAfterRewarming,
  "spikes": spikes,
  "linear": linear,
};

/** Names of all kinds. */
export const RULE_KINDS = Object.keys(RULES) as [Rule["kind"], ...Rule["kind"][]];

/** What knows a kind of rule; the caller gives it only rules of that kind. */
export function ruleKind(kind: Rule["kind"]): RuleKind<Rule> {
  return RULES[kind];
}
