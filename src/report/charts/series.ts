/** Arms as a chart draws them: one series an arm, a curve a seed, and their mean. */
import { exp } from "../../arithmetic/elementary.ts";
import type { ArmStyle, Legend } from "./legend.ts";
import type { ReportArm } from "../input/input.ts";

/** Both losses at one point of a curve. */
export interface SeriesPoint {
  readonly step: number;
  readonly tokens: number;
  readonly upstream: number;
  readonly downstream: number;
}

/** One line of a chart. */
export interface Series {
  readonly experiment: string;
  readonly arm: string;
  readonly style: ArmStyle;
  readonly warmupTokens: number;
  /** whether the runs start from random weights, far above all that start from a trained model */
  readonly startsAtRandom: boolean;
  /** finite points only, one list a seed */
  readonly seeds: readonly (readonly SeriesPoint[])[];
  /** mean over seeds at the steps that all seeds have; the seed itself if there is one */
  readonly mean: readonly SeriesPoint[];
  /** step at which the loss of a seed ceased to be finite */
  readonly divergedAt?: number;
  readonly members: readonly ReportArm[];
}

/** Which of the two validation sets. */
export type Metric = "upstream" | "downstream";

/** A loss in nats a token as perplexity; computed here to the bit, not by the platform. */
export function perplexity(loss: number): number {
  return exp(loss);
}

/** The series of some experiments, in the order of the arms given. */
export function seriesOf(arms: readonly ReportArm[], experiments: readonly string[], legend: Legend): Series[] {
  const groups = new Map<string, ReportArm[]>();
  for (const experiment of experiments) {
    for (const arm of arms.filter((candidate) => candidate.experiment === experiment)) {
      const name = JSON.stringify([arm.experiment, arm.arm]);
      groups.set(name, [...(groups.get(name) ?? []), arm]);
    }
  }
  return [...groups.values()].map((unordered, index) => {
    const members = unordered.toSorted((a, b) => a.seedIndex - b.seedIndex);
    const [first] = members as [ReportArm, ...ReportArm[]];
    const seeds = members.map(finitePoints);
    const diverged = members.find(({ curves, steps }) => curves.diverged && curves.diverged.step <= steps);
    return {
      experiment: first.experiment,
      arm: first.arm,
      style: legend.style(first.experiment, first.arm, index),
      warmupTokens: first.warmupTokens,
      startsAtRandom: first.startsAtRandom,
      seeds,
      mean: meanOf(seeds),
      members,
      divergedAt: diverged?.curves.diverged?.step,
    };
  });
}

function finitePoints({ curves, steps }: ReportArm): SeriesPoint[] {
  return curves.points
    .filter(({ step, upstream, downstream }) =>
      step <= steps && Number.isFinite(upstream) && Number.isFinite(downstream)
    )
    .map(({ step, tokens, upstream, downstream }) => ({ step, tokens, upstream, downstream }));
}

function meanOf(seeds: readonly (readonly SeriesPoint[])[]): readonly SeriesPoint[] {
  const [first = [], ...others] = seeds;
  if (others.length === 0) return first;
  const lookups = others.map((points) => new Map(points.map((point) => [point.step, point])));
  return first.flatMap((point) => {
    const matches = [point];
    for (const lookup of lookups) {
      const match = lookup.get(point.step);
      if (match === undefined) return [];
      matches.push(match);
    }
    const average = (metric: Metric) => matches.reduce((sum, match) => sum + match[metric], 0) / matches.length;
    return [{
      step: point.step,
      tokens: point.tokens,
      upstream: average("upstream"),
      downstream: average("downstream"),
    }];
  });
}

/** Losses of a series at a token count, linear between the evaluations around it; `undefined` outside the curve. */
export function pointAt(points: readonly SeriesPoint[], tokens: number): SeriesPoint | undefined {
  const after = points.findIndex((point) => point.tokens >= tokens);
  const right = points[after];
  if (right === undefined) return undefined;
  if (right.tokens === tokens || after === 0) return right.tokens === tokens ? right : undefined;
  const left = points[after - 1] as SeriesPoint;
  const share = (tokens - left.tokens) / (right.tokens - left.tokens);
  return {
    step: left.step + share * (right.step - left.step),
    tokens,
    upstream: left.upstream + share * (right.upstream - left.upstream),
    downstream: left.downstream + share * (right.downstream - left.downstream),
  };
}
