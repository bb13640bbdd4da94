/** Downstream over upstream perplexity of a run, for the rules about perplexities that move together. */
import { type ArmCurves, armName, CannotRead } from "../arm_curves.ts";
import { type Line, linearRegression, perplexity } from "../statistics/regression.ts";
import type { LossReader } from "./assessment.ts";
import type { Metric } from "./parts.ts";

/** Fewest evaluations through which a line says something: two always lie on one. */
const FEWEST_POINTS = 5;

/**
 * Least-squares line of downstream over upstream perplexity through some evaluations.
 *
 * @throws {CannotRead} if there are too few of them, or a perplexity does not change
 */
export function perplexityLine(arm: ArmCurves, steps: readonly number[], reader: LossReader): Line {
  if (steps.length < FEWEST_POINTS) {
    throw new CannotRead(
      `"${armName(arm)}" has ${steps.length} evaluations that the rule reads, and a line needs ${FEWEST_POINTS}`,
    );
  }
  const perplexities = (metric: Metric) => steps.map((step) => perplexity(reader.loss(arm, metric, step)));
  const line = linearRegression(perplexities("upstream"), perplexities("downstream"));
  if (line === undefined) {
    throw new CannotRead(`a perplexity of "${armName(arm)}" does not change, so that no line can be laid`);
  }
  return line;
}
