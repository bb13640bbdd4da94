/**
 * Every kind of estimate that there is. A new one is a file in `kinds/`, a member of {@linkcode Measure} and an entry of
 * {@linkcode MEASURES}; schema, words and computation follow from here.
 */
import { type Change, change } from "./kinds/change.ts";
import { type Difference, difference } from "./kinds/difference.ts";
import { type ForgettingRemoved, forgettingRemoved } from "./kinds/forgetting_removed.ts";
import { type Frontier, frontier } from "./kinds/frontier.ts";
import { type Line, line } from "./kinds/line.ts";
import { type Spread, spread } from "./kinds/spread.ts";
import { type StabilityGap, stabilityGap } from "./kinds/stability_gap.ts";
import type { MeasureKind } from "./measure_kind.ts";

/** What an estimate measures, of which arms. */
export type Measure = StabilityGap | Change | Difference | ForgettingRemoved | Frontier | Spread | Line;

/** Kinds of estimates by their names, in the order in which the documentation lists them. */
export const MEASURES: {
  readonly [Kind in Measure["kind"]]: MeasureKind<Extract<Measure, { readonly kind: Kind }>>;
} = {
  "stability-gap": stabilityGap,
  "change": change,
  "difference": difference,
  "forgetting-removed": forgettingRemoved,
  "frontier": frontier,
  "spread": spread,
  "line": line,
};

/** Names of all kinds. */
export const MEASURE_KINDS = Object.keys(MEASURES) as [Measure["kind"], ...Measure["kind"][]];

/** What knows a kind of estimate; the caller gives it only measures of that kind. */
export function measureKind(kind: Measure["kind"]): MeasureKind<Measure> {
  return MEASURES[kind];
}
