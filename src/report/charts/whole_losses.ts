/** Losses of a curve at two evaluations, over all validation windows where both kept them: as claims read them. */
import type { CurvePoint, Curves } from "../../results/curves.ts";
import { documentLosses, wholeLoss } from "../../results/document_losses.ts";
import type { Metric } from "./series.ts";

/** One loss at both evaluations, of the same windows. */
export function lossesAtBoth(
  curves: Curves,
  first: CurvePoint,
  last: CurvePoint,
  metric: Metric,
): { readonly first: number; readonly last: number } {
  const [a, b] = [first, last].map((point) => documentLosses(curves, point, metric));
  return a === undefined || b === undefined
    ? { first: first[metric], last: last[metric] }
    : { first: wholeLoss(a), last: wholeLoss(b) };
}
