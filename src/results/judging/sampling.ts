/**
 * A rule applied to curves, with the sampling error of what it finds. Where every point that the rule reads has losses of
 * all documents, and of the same text, it reads all windows of those, and once more without each document. Where that is
 * not so, and every point has losses of the sampled documents, it reads the sample, and once more without each of them.
 */
import { type ArmCurves, armName } from "../arm_curves.ts";
import type { Contrast } from "../contrast.ts";
import type { CurvePoint } from "../curves.ts";
import { runsOf } from "../rule_schema.ts";
import type { Rule } from "../rules/catalogue.ts";
import { assess } from "../rules/assess.ts";
import type { Assessment, RuleContext } from "../rules/assessment.ts";
import type { Metric } from "../rules/parts.ts";
import { combinedError, groupCount, jackknifeError } from "../statistics/jackknife.ts";
import { mean } from "../statistics/summary.ts";
import { type DocumentChoice, type Sums, sumsOf } from "./document_sums.ts";
import type { SamplingError } from "./measurement.ts";

/** What a rule finds. */
export interface Finding extends Assessment {
  /** of each contrast, in their order; none where losses by document are missing */
  readonly sampling?: readonly SamplingError[];
}

/**
 * Applies a rule.
 *
 * @throws {CannotRead} as the rule does
 */
export function assessWithErrors(rule: Rule, context: RuleContext): Finding {
  const named = new Set(runsOf(rule));
  const read = context.arms.filter((arm) => named.has(armName(arm)));
  const errors = withSamplingErrors(read, (arms) => {
    const assessment = assess(rule, { ...context, arms });
    return { result: assessment, numbers: assessment.contrasts.map(({ values }: Contrast) => mean(values)) };
  });
  return errors.sampling === undefined ? errors.result : { ...errors.result, sampling: errors.sampling };
}

/** What {@linkcode withSamplingErrors} gives. */
export interface WithSampling<Result> {
  readonly result: Result;
  /** of each number, in their order */
  readonly sampling?: readonly SamplingError[];
}

/** Computes something from curves, and how far its numbers may be off because documents are a sample. */
export function withSamplingErrors<Result>(
  arms: readonly ArmCurves[],
  compute: (arms: readonly ArmCurves[]) => { readonly result: Result; readonly numbers: readonly number[] },
): WithSampling<Result> {
  const reads = new Reads();
  const plain = compute(arms.map((arm) => viewOf(arm, reads)));
  const found = reads.documents("documents") ?? reads.documents("sampledDocuments");
  if (found === undefined) return { result: plain.result };
  const { choice, documents } = found;
  // The sample is what was just read.
  const all = choice === "documents" ? compute(arms.map((arm) => viewOf(arm, new LossesByDocument(choice)))) : plain;
  const byMetric = documents.map(({ metric, count }) => {
    const leftOut = Array.from(
      { length: groupCount(count) },
      (_, group) => compute(arms.map((arm) => viewOf(arm, new LossesByDocument(choice, { metric, group })))).numbers,
    );
    return all.numbers.map((_, index) => jackknifeError(leftOut.map((numbers) => numbers[index] ?? NaN)));
  });
  const count = documents.reduce((sum, document) => sum + document.count, 0);
  return {
    result: all.result,
    sampling: all.numbers.map((_, index) => ({
      over: "documents",
      count,
      error: combinedError(byMetric.flatMap((errors) => errors[index] ?? [])),
    })),
  };
}

/** Where a curve's losses come from. */
interface Losses {
  loss(arm: ArmCurves, point: CurvePoint, metric: Metric): number;
  domains(arm: ArmCurves, point: CurvePoint, metric: Metric): readonly (number | null)[] | undefined;
}

/** Losses by document, without those of one group of one corpus. */
class LossesByDocument implements Losses {
  constructor(
    private readonly choice: DocumentChoice,
    private readonly without?: { readonly metric: Metric; readonly group: number },
  ) {}

  loss(arm: ArmCurves, point: CurvePoint, metric: Metric): number {
    return this.#sums(arm, point, metric).mean(this.#groupOf(metric));
  }

  domains(arm: ArmCurves, point: CurvePoint, metric: Metric): readonly (number | null)[] {
    return this.#sums(arm, point, metric).domains(this.#groupOf(metric));
  }

  #groupOf(metric: Metric): number | undefined {
    return this.without?.metric === metric ? this.without.group : undefined;
  }

  #sums({ curves }: ArmCurves, point: CurvePoint, metric: Metric): Sums {
    const sums = sumsOf(curves, point, metric, this.choice);
    if (sums === undefined) throw new Error(`Step ${point.step} was not read before, and has no losses by document`);
    return sums;
  }
}

/** Documents that all points have losses of. */
interface ReadDocuments {
  readonly choice: DocumentChoice;
  readonly documents: readonly { readonly metric: Metric; readonly count: number }[];
}

/** Losses of the sampled windows, and the points at which they were read. */
class Reads implements Losses {
  readonly #losses: Readonly<Record<Metric, Map<CurvePoint, ArmCurves>>> = {
    upstream: new Map(),
    downstream: new Map(),
  };

  loss(arm: ArmCurves, point: CurvePoint, metric: Metric): number {
    this.#losses[metric].set(point, arm);
    return point[metric];
  }

  domains(arm: ArmCurves, point: CurvePoint, metric: Metric): readonly (number | null)[] | undefined {
    this.#losses[metric].set(point, arm);
    return point.domains?.[metric];
  }

  /** Number of documents of each corpus that was read; undefined unless all points have the same ones, two or more. */
  documents(choice: DocumentChoice): ReadDocuments | undefined {
    const found: { metric: Metric; count: number }[] = [];
    for (const metric of ["upstream", "downstream"] as const) {
      const sums = [...this.#losses[metric]].map(([point, { curves }]) => sumsOf(curves, point, metric, choice));
      const [first] = sums;
      if (sums.length === 0) continue;
      if (first === undefined || first.count < 2 || !sums.every((other) => other?.text === first.text)) {
        return undefined;
      }
      found.push({ metric, count: first.count });
    }
    return found.length === 0 ? undefined : { choice, documents: found };
  }
}

/** A curve whose losses are looked up when they are read. */
function viewOf(arm: ArmCurves, losses: Losses): ArmCurves {
  const points = arm.curves.points.map((point): CurvePoint => {
    const domains = (metric: Metric) => losses.domains(arm, point, metric) ?? [];
    return {
      step: point.step,
      tokens: point.tokens,
      learningRate: point.learningRate,
      get upstream() {
        return losses.loss(arm, point, "upstream");
      },
      get downstream() {
        return losses.loss(arm, point, "downstream");
      },
      domains: {
        get upstream() {
          return domains("upstream");
        },
        get downstream() {
          return domains("downstream");
        },
      },
    };
  });
  return { ...arm, curves: { ...arm.curves, points } };
}
