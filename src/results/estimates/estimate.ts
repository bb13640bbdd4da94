/** Estimates of an experiment's open questions: numbers with intervals over seeds and documents, and no verdict. */
import { type ArmCurves, armName, CannotRead, type JudgeContext } from "../arm_curves.ts";
import { decimal } from "../contrast.ts";
import { errorSources, LEVEL } from "../judging/measurement.ts";
import { Preconditions } from "../judging/preconditions.ts";
import { withSamplingErrors } from "../judging/sampling.ts";
import type { Paper } from "../paper_schema.ts";
import type { Evidence } from "../rules/assessment.ts";
import { tInterval } from "../statistics/paired_test.ts";
import { mean } from "../statistics/summary.ts";
import { measureKind } from "./catalogue.ts";
import type { StatedEstimate } from "./estimate_schema.ts";
import type { EstimateUnit } from "./measure_kind.ts";

/** An interval that covers the truth with 95 %, as decimal strings. */
export interface EstimateInterval {
  /** what it accounts for: other seeds, or other validation documents */
  readonly over: "seeds" | "documents";
  /** seeds or documents */
  readonly count: number;
  /** lower end */
  readonly low: string;
  /** upper end */
  readonly high: string;
}

/** An estimated number. */
export interface EstimateRow {
  /** what is measured, of which arm */
  readonly label: string;
  /** of the value and its intervals */
  readonly unit: EstimateUnit;
  /** decimal string; the mean of several seeds */
  readonly value: string;
  /** seeds that the mean is over */
  readonly seeds: number;
  /** the run ends before the number does: it is this or more */
  readonly atLeast?: true;
  /** none where one seed without losses by document gives no error */
  readonly intervals: readonly EstimateInterval[];
}

/** The answer to an open question, as it stands in a manifest; plain JSON. */
export interface Estimate {
  /** stable, from its experiment's file */
  readonly id: string;
  /** of the experiment */
  readonly experiment: string;
  /** for readers */
  readonly title: string;
  /** what is measured, in words */
  readonly measure: string;
  /** why there are no numbers; absent where there are */
  readonly missing?: string;
  /** one or more, unless missing */
  readonly numbers: readonly EstimateRow[];
  /** the points of the curves that were read */
  readonly evidence: readonly Evidence[];
}

/** Makes every estimate, in the order of the experiments. */
export function makeEstimates(paper: Paper, arms: readonly ArmCurves[], context: JudgeContext): Estimate[] {
  const preconditions = new Preconditions(paper, arms, context);
  return paper.experiments.flatMap(({ name, estimates }) =>
    estimates.map((estimate) => makeEstimate(estimate, name, arms, context, preconditions))
  );
}

function makeEstimate(
  { id, title, measure, requires = [], note }: StatedEstimate,
  experiment: string,
  arms: readonly ArmCurves[],
  context: JudgeContext,
  preconditions: Preconditions,
): Estimate {
  const kind = measureKind(measure.kind);
  const about = { id, experiment, title, measure: kind.describe(measure) + (note === undefined ? "" : `; ${note}`) };
  const without = (missing: string): Estimate => ({ ...about, missing, numbers: [], evidence: [] });
  const unmet = requires.map((name) => preconditions.examine(name).unmet).find((why) => why !== undefined);
  if (unmet !== undefined) return without(unmet);
  const named = new Set(kind.runsOf(measure));
  try {
    const { result, sampling } = withSamplingErrors(arms.filter((arm) => named.has(armName(arm))), (read) => {
      const reading = kind.read(measure, { ...context, arms: read });
      return { result: reading, numbers: reading.numbers.map(({ values }) => mean(values)) };
    });
    const numbers = result.numbers.map(({ label, unit, values, isAtLeast }, index): EstimateRow => {
      return {
        label,
        unit,
        value: decimal(mean(values)),
        seeds: values.length,
        atLeast: isAtLeast,
        intervals: errorSources(values, sampling?.[index]).map(({ over, count, error }) => {
          const { low, high } = tInterval(mean(values), error, LEVEL);
          return { over, count, low: decimal(low), high: decimal(high) };
        }),
      };
    });
    return { ...about, numbers, evidence: result.evidence };
  } catch (error) {
    if (!(error instanceof CannotRead)) throw error;
    return without(error.message);
  }
}
