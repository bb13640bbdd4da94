/**
 * A rule applied to curves, with the sampling error of what it finds. Where every point that the rule reads has losses by
 * document, and of the same text, it reads all windows of those documents, and once more without each document.
 */
import type { ArmCurves } from "../arm_curves.ts";
import type { Contrast } from "../contrast.ts";
import type { CurvePoint, DocumentLoss } from "../curves.ts";
import type { Rule } from "../rules/catalogue.ts";
import { assess } from "../rules/assess.ts";
import type { Assessment, RuleContext } from "../rules/assessment.ts";
import type { Metric } from "../rules/parts.ts";
import { combinedError, groupCount, groupOf, jackknifeError } from "../statistics/jackknife.ts";
import { mean } from "../statistics/summary.ts";
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
  const errors = withSamplingErrors(context.arms, (arms) => {
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
  const plain = compute(arms.map((arm) => viewOf(arm, (point, metric) => reads.note(point, metric))));
  const documents = reads.documents();
  if (documents === undefined) return { result: plain.result };
  const whole = compute(arms.map((arm) => viewOf(arm, (point, metric) => sumsOf(point, metric).mean())));
  const byMetric = documents.map(({ metric, count }) => {
    const leftOut = Array.from(
      { length: groupCount(count) },
      (_, group) =>
        compute(
          arms.map((arm) =>
            viewOf(arm, (point, read) => sumsOf(point, read).mean(read === metric ? group : undefined))
          ),
        ).numbers,
    );
    return whole.numbers.map((_, index) => jackknifeError(leftOut.map((numbers) => numbers[index] ?? NaN)));
  });
  const count = documents.reduce((sum, document) => sum + document.count, 0);
  return {
    result: whole.result,
    sampling: whole.numbers.map((_, index) => ({
      over: "documents",
      count,
      error: combinedError(byMetric.flatMap((errors) => errors[index] ?? [])),
    })),
  };
}

/** The points that were read, of each corpus. */
class Reads {
  readonly #points: Readonly<Record<Metric, Set<CurvePoint>>> = { upstream: new Set(), downstream: new Set() };

  note(point: CurvePoint, metric: Metric): number {
    this.#points[metric].add(point);
    return point[metric];
  }

  /** Number of documents of each corpus that was read; undefined unless all points have the same ones, two or more. */
  documents(): { readonly metric: Metric; readonly count: number }[] | undefined {
    const found: { metric: Metric; count: number }[] = [];
    for (const metric of ["upstream", "downstream"] as const) {
      const lists = [...this.#points[metric]].map(({ documents }) => documents?.[metric]);
      const [first] = lists;
      if (lists.length === 0) continue;
      if (first === undefined || first.length < 2 || !lists.every((list) => isSameText(first, list))) return undefined;
      found.push({ metric, count: first.length });
    }
    return found.length === 0 ? undefined : found;
  }
}

function isSameText(a: readonly DocumentLoss[], b: readonly DocumentLoss[] | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every(({ tokens }, index) => tokens === b[index]?.tokens);
}

/** Losses of a point's documents, summed by the groups that are left out together. */
class Sums {
  readonly #losses: Float64Array;
  readonly #tokens: Float64Array;
  #loss = 0;
  #count = 0;

  constructor(documents: readonly DocumentLoss[]) {
    const groups = groupCount(documents.length);
    this.#losses = new Float64Array(groups);
    this.#tokens = new Float64Array(groups);
    documents.forEach(({ tokens, loss }, index) => {
      const group = groupOf(index, documents.length);
      this.#losses[group] = (this.#losses[group] ?? 0) + loss;
      this.#tokens[group] = (this.#tokens[group] ?? 0) + tokens;
      this.#loss += loss;
      this.#count += tokens;
    });
  }

  /** Nats a token of all groups, or of all but one. */
  mean(without?: number): number {
    if (without === undefined) return this.#loss / this.#count;
    return (this.#loss - (this.#losses[without] ?? NaN)) / (this.#count - (this.#tokens[without] ?? NaN));
  }
}

const SUMS = new WeakMap<readonly DocumentLoss[], Sums>();

function sumsOf(point: CurvePoint, metric: Metric): Sums {
  const documents = point.documents?.[metric];
  if (documents === undefined) throw new Error(`Step ${point.step} was not read before, and has no losses by document`);
  const known = SUMS.get(documents);
  if (known !== undefined) return known;
  const sums = new Sums(documents);
  SUMS.set(documents, sums);
  return sums;
}

/** A curve whose losses are looked up when they are read. */
function viewOf(arm: ArmCurves, loss: (point: CurvePoint, metric: Metric) => number): ArmCurves {
  const points = arm.curves.points.map((point): CurvePoint => ({
    step: point.step,
    tokens: point.tokens,
    learningRate: point.learningRate,
    get upstream() {
      return loss(point, "upstream");
    },
    get downstream() {
      return loss(point, "downstream");
    },
  }));
  return { ...arm, curves: { ...arm.curves, points } };
}
