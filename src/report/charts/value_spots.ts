/** Where the charts over tokens answer with values: along lines in upright bands, along paths at their points. */
import type { Point } from "./chart.ts";
import type { ArmStyle } from "./legend.ts";
import { MAX_SPOTS } from "../markup/limits.ts";
import { compact, fixed, rate } from "../markup/numbers.ts";
import type { Metric, Series, SeriesPoint } from "./series.ts";
import { thin } from "./simplify.ts";
import type { ChartSpot } from "./spots.ts";

/** Bands of a chart over tokens: a finger tells no more apart. */
const BANDS = 26;

/** Bands where at least one arm was evaluated, each at the evaluation with the highest losses in it: peaks are read. */
export function lossSpots(series: readonly Series[], metric: Metric, end: number, paperTokens: number): ChartSpot[] {
  const byTokens = new Map<number, { readonly one: Series; readonly point: SeriesPoint }[]>();
  for (const one of series) {
    for (const point of one.mean) byTokens.set(point.tokens, [...(byTokens.get(point.tokens) ?? []), { one, point }]);
  }
  const places = [...byTokens.keys()].sort((a, b) => a - b);
  const bands = Map.groupBy(places, (tokens) => Math.floor(tokens / end * BANDS));
  const highest = (tokens: number) => {
    const losses = byTokens.get(tokens) ?? [];
    // an evaluation of few arms must not stand for one of all
    return losses.length * 1e6 + losses.reduce((sum, { point }) => sum + point[metric], 0) / losses.length;
  };
  const chosen = new Set([places[0], places.at(-1)]);
  for (const within of bands.values()) {
    if (!within.some((tokens) => chosen.has(tokens))) {
      chosen.add(within.reduce((best, next) => highest(next) > highest(best) ? next : best));
    }
  }
  return [...chosen].filter((tokens) => tokens !== undefined).sort((a, b) => a - b).map((tokens) => {
    const there = byTokens.get(tokens) ?? [];
    return {
      title: tokensInWords(tokens, paperTokens),
      values: there.map(({ one: { style }, point }) => ({ style, text: fixed(point[metric], 4) })),
      dots: there.map(({ one: { style }, point }) => ({ style, at: [tokens, point[metric]] })),
      x: tokens,
    };
  });
}

/** Points of paths, each path's first and last among them. */
export function pathSpots(
  series: readonly Series[],
  place: (point: SeriesPoint) => Point,
  paperTokens: number,
): ChartSpot[] {
  const each = Math.max(2, Math.min(12, Math.floor(MAX_SPOTS / Math.max(1, series.length))));
  return series.slice(0, MAX_SPOTS / 2).flatMap(({ mean, style }) =>
    thin(mean, each).filter((point) => place(point).every((value) => value < 1e6)).map((point): ChartSpot => {
      const at = place(point);
      return {
        title: tokensInWords(point.tokens, paperTokens),
        values: [{ style, text: `${fixed(at[1], 3)} upstream, ${fixed(at[0], 3)} downstream` }],
        dots: [{ at, style }],
      };
    })
  );
}

/** Bands over a schedule. */
export function scheduleSpots(
  schedules: readonly { readonly style: ArmStyle; readonly sampled: Float32Array }[],
  horizonTokens: number,
  paperTokens: number,
): ChartSpot[] {
  return Array.from({ length: BANDS + 1 }, (_, k) => {
    const share = k / BANDS;
    const rates = schedules.map(({ style, sampled }) => ({
      style,
      value: sampled[Math.round(share * (sampled.length - 1))] ?? NaN,
    }));
    return {
      title: tokensInWords(share * horizonTokens, paperTokens),
      values: rates.map(({ style, value }) => ({ style, text: rate(value) })),
      dots: rates.map(({ style, value }) => ({ style, at: [share * horizonTokens, value] })),
      x: share * horizonTokens,
    };
  });
}

/** `50B of the paper’s tokens, 362K here`. */
export function tokensInWords(tokens: number, paperTokens: number): string {
  return paperTokens === 1
    ? `${compact(tokens)} tokens`
    : `${compact(tokens * paperTokens)} of the paper’s tokens, ${compact(tokens)} here`;
}
