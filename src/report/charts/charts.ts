/** The three kinds of chart in the report, from series to charts as data. */
import type { ArmStyle } from "./legend.ts";
import type { Chart, ChartAxis, ChartLine, ChartMarker, Point } from "./chart.ts";
import { compact, extent, fixed, rate, trimmed } from "../markup/numbers.ts";
import { type Metric, perplexity, pointAt, type Series, type SeriesPoint } from "./series.ts";
import { simplify } from "./simplify.ts";
import { lossSpots, pathSpots, scheduleSpots } from "./value_spots.ts";

/** Texts of a chart that its data do not give. */
export interface ChartWords {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
}

const MARKERS_A_LINE = 4;
const LARGEST_DRAWN = 1e15;

/**
 * Loss over tokens.
 *
 * @param paperTokens how many tokens of the paper one of ours stands for
 */
export function lossChart(
  series: readonly Series[],
  metric: Metric,
  paperTokens: number,
  words: ChartWords,
): Chart {
  const place = (point: SeriesPoint): Point => [point.tokens, point[metric]];
  const end = Math.max(1, extent(series.flatMap(({ mean }) => mean.map(({ tokens }) => tokens)))[1]);
  return {
    title: words.title,
    description: `${words.yLabel} over tokens. ` + describe(series, (point) => fixed(point[metric], 3)),
    x: tokenAxis(words.xLabel, end, paperTokens),
    y: { label: words.yLabel, domain: valueDomain(series, (point) => point[metric]), format: decimal },
    lines: linesOf(series, place),
    markers: series.flatMap((one, index) => sparseMarkers(one, index, series.length, end, place)),
    rules: warmupEnds(series).filter((tokens) => tokens <= end),
    labels: endLabels(series, place),
    notes: [],
    spots: lossSpots(series, metric, end, paperTokens),
  };
}

/**
 * Upstream perplexity (y) against downstream perplexity (x): a path through time for each arm.
 *
 * @param paperTokens how many tokens of the paper one of ours stands for
 */
export function perplexityChart(series: readonly Series[], paperTokens: number, words: ChartWords): Chart {
  const place = (point: SeriesPoint): Point => [perplexity(point.downstream), perplexity(point.upstream)];
  const marks = series.flatMap((one): ChartMarker[] => {
    const warm = one.warmupTokens > 0 ? pointAt(one.mean, one.warmupTokens) : undefined;
    const last = one.mean.at(-1);
    return [
      ...(warm ? [{ at: place(warm), style: one.style, hollow: true }] : []),
      ...(last ? [{ at: place(last), style: one.style }] : []),
    ];
  });
  return {
    title: words.title,
    description: "Each line is an arm's path through training. " +
      describe(series, (point) => place(point).map((value) => fixed(value, 2)).join(" downstream and ") + " upstream"),
    x: { label: words.xLabel, domain: valueDomain(series, (point) => place(point)[0]), format: decimal },
    y: { label: words.yLabel, domain: valueDomain(series, (point) => place(point)[1]), format: decimal },
    lines: linesOf(series, place),
    markers: marks,
    rules: [],
    labels: [],
    notes: starts(series, place),
    spots: pathSpots(series, place, paperTokens),
  };
}

/**
 * Learning rate over the schedule's horizon.
 *
 * @param paperTokens how many tokens of the paper one of ours stands for
 */
export function scheduleChart(
  schedules: readonly { readonly style: ArmStyle; readonly sampled: Float32Array }[],
  horizonTokens: number,
  paperTokens: number,
  words: ChartWords,
): Chart {
  const highest = Math.max(0, ...schedules.map(({ sampled }) => extent(sampled)[1]));
  const lines = schedules.map(({ style, sampled }) => {
    const points = [...sampled].map((value, i): Point => [i / Math.max(1, sampled.length - 1) * horizonTokens, value]);
    return { style, points: simplify(points, horizonTokens * 1e-4, highest * 5e-4) };
  });
  return {
    title: words.title,
    description: `Learning rate over the ${compact(horizonTokens)} tokens of the schedule. ` +
      schedules.map(({ style, sampled }) =>
        `${style.label}: from ${rate(sampled[0] ?? 0)} to at most ${rate(extent(sampled)[1])}, ` +
        `${rate(sampled.at(-1) ?? 0)} at the end.`
      ).join(" "),
    x: tokenAxis(words.xLabel, horizonTokens, paperTokens),
    y: { label: words.yLabel, domain: [0, highest > 0 ? highest * 1.04 : 1], format: (value) => rate(value) },
    lines,
    markers: schedules.flatMap(({ style, sampled }, index) =>
      Array.from({ length: MARKERS_A_LINE }, (_, k): ChartMarker => {
        const share = (k + (index + 0.5) / schedules.length) / MARKERS_A_LINE;
        const i = Math.round(share * (sampled.length - 1));
        return { at: [i / Math.max(1, sampled.length - 1) * horizonTokens, sampled[i] ?? 0], style };
      })
    ),
    rules: [],
    labels: [],
    notes: [],
    spots: scheduleSpots(schedules, horizonTokens, paperTokens),
  };
}

/** Tokens of the paper, round, and ours below them where they are others. */
function tokenAxis(label: string, end: number, paperTokens: number): ChartAxis {
  return {
    label,
    domain: [0, end],
    tickFactor: paperTokens,
    format: (value) => compact(value * paperTokens),
    ...(paperTokens === 1 ? {} : { second: compact }),
  };
}

function decimal(value: number, decimals: number): string {
  return value.toFixed(decimals);
}

function linesOf(series: readonly Series[], place: (point: SeriesPoint) => Point): ChartLine[] {
  // e to the loss of a diverging run leaves the numbers that a drawing can hold
  const drawable = (points: readonly SeriesPoint[]) =>
    points.map(place).filter(([x, y]) => Math.abs(x) < LARGEST_DRAWN && Math.abs(y) < LARGEST_DRAWN);
  return series.flatMap(({ seeds, mean, style }) => [
    ...(seeds.length > 1 ? seeds.map((points) => ({ points: drawable(points), style, faint: true })) : []),
    { points: drawable(mean), style },
  ]);
}

/** A few markers a line, at places that differ from line to line, and one at the end. */
function sparseMarkers(
  { mean, style }: Series,
  index: number,
  count: number,
  end: number,
  place: (point: SeriesPoint) => Point,
): ChartMarker[] {
  const chosen = new Set<SeriesPoint>();
  for (let k = 0; k < MARKERS_A_LINE; k++) {
    const wanted = end * (k + (index + 0.5) / count) / MARKERS_A_LINE;
    const nearest = mean.toSorted((a, b) => Math.abs(a.tokens - wanted) - Math.abs(b.tokens - wanted))[0];
    if (nearest && Math.abs(nearest.tokens - wanted) < end / (2 * MARKERS_A_LINE)) chosen.add(nearest);
  }
  const last = mean.at(-1);
  if (!last) return [];
  const clear = [...chosen].filter(({ tokens }) => last.tokens - tokens > end * 0.05);
  return [...clear, last].map((point) => ({ at: place(point), style }));
}

/** Where paths start: one place for arms that start from the same weights. */
function starts(series: readonly Series[], place: (point: SeriesPoint) => Point): Chart["notes"] {
  const places = series.filter((one) => !mayLeaveAxes(series, one)).flatMap(({ mean }) => mean.slice(0, 1)).map(place);
  const distinct = new Map(places.map((at) => [at.map((value) => value.toFixed(6)).join(), at]));
  return [...distinct.values()].map((at) => ({ at, text: "start" }));
}

function endLabels(series: readonly Series[], place: (point: SeriesPoint) => Point): Chart["labels"] {
  return series.flatMap(({ mean, style }) => {
    const last = mean.at(-1);
    return last ? [{ at: place(last), style }] : [];
  });
}

/** Distinct ends of warm-ups, in tokens, ascending. */
export function warmupEnds(series: readonly Series[]): number[] {
  return [...new Set(series.map(({ warmupTokens }) => warmupTokens))].filter((tokens) => tokens > 0)
    .sort((a, b) => a - b);
}

/**
 * Whether an arm may leave the axes: a random model starts far above all that were trained before, and a diverging one
 * ends there; showing them whole would flatten what the figure is about. A note under the figure says so.
 */
export function mayLeaveAxes(series: readonly Series[], one: Series): boolean {
  return one.divergedAt !== undefined || comesFromOutside(series, one);
}

/** Whether an arm starts from random weights among arms that do not. */
export function comesFromOutside(series: readonly Series[], { startsAtRandom }: Series): boolean {
  return startsAtRandom && series.some((other) => !other.startsAtRandom);
}

function valueDomain(series: readonly Series[], value: (point: SeriesPoint) => number): [number, number] {
  const all = (some: readonly Series[]) =>
    some.flatMap(({ seeds, mean }) => [...seeds.flat(), ...mean]).map(value).filter(Number.isFinite);
  const whole = all(series.filter((one) => !mayLeaveAxes(series, one)));
  const ends = series.filter((one) => comesFromOutside(series, one) && one.divergedAt === undefined)
    .flatMap(({ mean }) => mean.slice(-1).map(value));
  // every value of every series only where nothing else is left to show
  const values = whole.length > 0 ? [...whole, ...ends] : all(series);
  const [low, high] = extent(values);
  const room = high > low ? (high - low) * 0.05 : Math.abs(high) * 0.05 || 1;
  return [low - room, high + room];
}

/** Largest value of a series and whether it lies above the axis that `lossChart` gives the figure. */
export function leavesAxes(series: readonly Series[], one: Series, metric: Metric): number | undefined {
  const [, high] = valueDomain(series, (point) => point[metric]);
  const [, highest] = extent(one.mean.map((point) => point[metric]));
  return highest > high ? highest : undefined;
}

function describe(series: readonly Series[], show: (point: SeriesPoint) => string): string {
  return series.map(({ mean, style, divergedAt }) => {
    const first = mean[0];
    const last = mean.at(-1);
    if (!first || !last) return `${style.label}: no finite value.`;
    const ending = divergedAt === undefined ? "" : `, diverged at step ${trimmed(divergedAt, 0)}`;
    return `${style.label}: from ${show(first)} to ${show(last)} at ${compact(last.tokens)} tokens${ending}.`;
  }).join(" ");
}
