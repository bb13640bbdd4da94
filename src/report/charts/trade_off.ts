/** Forgetting against adaptation, and what replay removes of forgetting: points from curves and from print, and charts. */
import type { PublishedLosses } from "../../results/figure_schema.ts";
import { MAX_SPOTS } from "../markup/limits.ts";
import { compact, extent, percent, trimmed } from "../markup/numbers.ts";
import type { ReportArm } from "../input/input.ts";
import type { Chart, ChartLine, ChartMarker, Point } from "./chart.ts";
import type { ArmStyle, MarkerName } from "./legend.ts";
import type { ChartSpot } from "./spots.ts";
import { lossesAtBoth } from "./whole_losses.ts";

/** An arm at the point that is read, as a mean over seeds. */
export interface TradeOffPoint {
  /** percent of the windows */
  readonly replay: number;
  /** maximum learning rate over that of the pre-training; absent: constant at the minimum, or printed elsewhere */
  readonly rate?: number;
  /** `1×, 5 % replay` */
  readonly name: string;
  /** upstream loss over that of the start, less one */
  readonly forgotten: number;
  /** downstream loss over that of 1× without replay, less one */
  readonly behind: number;
  /** the run of the first seed; absent of printed losses */
  readonly run?: { readonly label: string; readonly runKey: string };
}

/** One shift and size, or one series of another study. */
export interface TradeOffPanel {
  readonly title: string;
  readonly points: readonly TradeOffPoint[];
  /** where they were printed */
  readonly source?: string;
}

/** A panel with the mix that stands for its shift. */
export interface MixPanel extends TradeOffPanel {
  readonly mix?: string | undefined;
}

/** How far from the point that is named losses may be read, as a share of the horizon. */
const NEAREST = 0.02;

/** Looks of the shares of replay, the smallest first. */
const LOOKS: readonly [colour: string, marker: MarkerName, dash: string][] = [
  ["--grey", "circle", ""],
  ["--blue", "square", "7 4"],
  ["--green", "triangle", "9 3 2 3"],
  ["--gold", "wedge", "5 3"],
  ["--red", "diamond", "4 2"],
  ["--purple", "cross", "2 3"],
  ["--teal", "triangle", ""],
  ["--pink", "square", "6 2 2 2"],
];

/**
 * Panels of our own arms: those of one shift and size that have an arm at 1× without replay to measure others by.
 *
 * @param arms of the experiments that the figure shows
 * @param tokens where losses are read, in tokens of the scale
 */
export function ownPanels(arms: readonly ReportArm[], tokens: number, horizonTokens: number): MixPanel[] {
  const withRecipe = arms.flatMap((arm) => arm.recipe === undefined ? [] : [{ ...arm, recipe: arm.recipe }]);
  const sizes = new Set(withRecipe.map(({ recipe }) => recipe.parameters));
  const panels = Map.groupBy(withRecipe, ({ recipe }) => JSON.stringify([recipe.mix ?? "", recipe.parameters]));
  return [...panels.values()].flatMap((own): MixPanel[] => {
    const seeds = [...Map.groupBy(own, ({ seedIndex }) => seedIndex).values()].map((ofSeed) => {
      const read = ofSeed.flatMap((arm) => {
        const losses = lossesAt(arm, tokens, horizonTokens);
        return losses === undefined ? [] : [{ arm, losses }];
      });
      const reference = read.find(({ arm: { recipe } }) => recipe.replay === 0 && recipe.rate === 1)?.losses;
      return reference === undefined ? [] : read.map(({ arm, losses }) => ({
        arm,
        forgotten: losses.upstream / losses.start - 1,
        behind: losses.downstream / reference.downstream - 1,
      }));
    }).flat();
    const byRecipe = Map.groupBy(seeds, ({ arm: { recipe } }) => JSON.stringify([recipe.replay, recipe.rate ?? null]));
    const points = [...byRecipe.values()].flatMap((alike): TradeOffPoint[] => {
      // an arm of another experiment may read the same run
      const distinct = [...new Map(alike.map((one) => [one.arm.runKey, one])).values()];
      const first = distinct[0];
      if (first === undefined) return [];
      const { recipe: { replay, rate }, label, runKey } = first.arm;
      const mean = (value: (one: typeof distinct[number]) => number) =>
        distinct.reduce((sum, one) => sum + value(one), 0) / distinct.length;
      return [{
        replay,
        ...(rate === undefined ? {} : { rate }),
        name: `${rate === undefined ? "constant" : `${trimmed(rate, 3)}×`}, ${share(replay)} replay`,
        forgotten: mean(({ forgotten }) => forgotten),
        behind: mean(({ behind }) => behind),
        run: { label, runKey },
      }];
    });
    const recipe = own[0]?.recipe;
    if (points.length < 2 || recipe === undefined) return [];
    const size = sizes.size > 1 ? `, ${compact(recipe.parameters)} parameters` : "";
    return [{ title: `${recipe.mix ?? "the scale’s own shift"}${size}`, mix: recipe.mix, points: inOrder(points) }];
  });
}

/** A series of another study as a panel. */
export function publishedPanel({ label, source, mix, upstreamBefore, points }: PublishedLosses): MixPanel {
  const reference = points.find(({ replay }) => replay === 0)?.downstream ?? NaN;
  return {
    title: label,
    source,
    mix,
    points: inOrder(points.map(({ replay, upstream, downstream }) => ({
      replay,
      rate: 1,
      name: `${share(replay)} replay, ${label}`,
      forgotten: upstream / upstreamBefore - 1,
      behind: downstream / reference - 1,
    }))),
  };
}

function inOrder(points: readonly TradeOffPoint[]): TradeOffPoint[] {
  return points.toSorted((a, b) => a.replay - b.replay || (a.rate ?? 0) - (b.rate ?? 0));
}

/** Losses at the start and at the evaluation nearest to a place. */
function lossesAt({ curves, steps }: ReportArm, tokens: number, horizonTokens: number) {
  const points = curves.points.filter(({ step, upstream, downstream }) =>
    step <= steps && Number.isFinite(upstream) && Number.isFinite(downstream)
  );
  const start = points.find(({ step }) => step === 0);
  const nearest = points.toSorted((a, b) => Math.abs(a.tokens - tokens) - Math.abs(b.tokens - tokens))[0];
  if (start === undefined || nearest === undefined || curves.diverged !== undefined) return undefined;
  if (Math.abs(nearest.tokens - tokens) > horizonTokens * NEAREST) return undefined;
  const { first, last } = lossesAtBoth(curves, start, nearest, "upstream");
  return { start: first, upstream: last, downstream: lossesAtBoth(curves, start, nearest, "downstream").last };
}

/** The distinct shares of replay, ascending. */
export function replayShares(points: readonly { readonly replay: number }[]): number[] {
  return [...new Set(points.map(({ replay }) => replay))].sort((a, b) => a - b);
}

/** Looks of all shares of replay in some panels. */
export function replayStyles(panels: readonly TradeOffPanel[]): Map<number, ArmStyle> {
  const shares = replayShares(panels.flatMap(({ points }) => points));
  return new Map(shares.map((replay, index) => {
    const [colour, marker, dash] = LOOKS[index % LOOKS.length] as typeof LOOKS[number];
    return [replay, { label: `${share(replay)} replay`, colour, marker, dash }];
  }));
}

/**
 * Forgetting (y) against adaptation (x) of one panel: a line a share of replay along the maximum learning rates, and
 * beside it, as rings, what others printed.
 *
 * @param link address of a run; undefined if it has none
 */
export function tradeOffChart(
  panel: TradeOffPanel,
  published: readonly TradeOffPanel[],
  styles: ReadonlyMap<number, ArmStyle>,
  title: string,
  link: (runKey: string) => string | undefined,
): Chart {
  const place = ({ behind, forgotten }: TradeOffPoint): Point => [behind, forgotten];
  const shown = [panel, ...published];
  const all = shown.flatMap(({ points }) => points);
  const styleOf = ({ replay }: TradeOffPoint) => styles.get(replay) as ArmStyle;
  const lines = shown.flatMap(({ points, source }): ChartLine[] =>
    source === undefined
      ? [...Map.groupBy(points, ({ replay }) => replay).values()].flatMap((ofShare) =>
        ofShare[0] === undefined || ofShare.length < 2
          ? []
          : [{ points: ofShare.map(place), style: styleOf(ofShare[0]) }]
      )
      : []
  );
  return {
    title,
    description: "Upwards: more forgotten upstream. To the right: less learned downstream than by 1× without replay. " +
      all.map((point) => `${point.name}: ${inWords(point)}.`).join(" "),
    x: {
      label: "downstream loss against 1×, 0 % replay",
      domain: room(all.map(({ behind }) => behind)),
      format: signed,
    },
    y: {
      label: "upstream loss against the start",
      domain: room([0, ...all.map(({ forgotten }) => forgotten)]),
      format: signed,
    },
    lines,
    markers: shown.flatMap(({ points, source }) =>
      points.map((point): ChartMarker => ({ at: place(point), style: styleOf(point), hollow: source !== undefined }))
    ),
    rules: [0],
    labels: [],
    notes: panel.points.filter(({ replay }) => replay === 0).map((point) => ({
      at: place(point),
      text: point.rate === undefined ? "constant" : `${trimmed(point.rate, 3)}×`,
    })),
    spots: shown.flatMap(({ points, source }) =>
      points.map((point): ChartSpot => ({
        title: point.name,
        values: [{ style: styleOf(point), text: inWords(point) }],
        dots: [{ at: place(point), style: styleOf(point) }],
        href: point.run === undefined ? addressOf(source) : link(point.run.runKey),
      }))
    ).slice(0, MAX_SPOTS),
  };
}

/** Share of forgetting that replay removed at 1×, dose by dose; without those that forget next to nothing. */
export interface DoseSeries {
  readonly title: string;
  readonly source?: string;
  readonly doses: readonly { readonly replay: number; readonly removed: number; readonly point: TradeOffPoint }[];
}

/** Less forgotten than this share of the loss is nothing that could be removed. */
const LEAST_FORGOTTEN = 0.005;

/** The doses of panels that have some, and the titles of those that forget nothing. */
export function doseSeries(panels: readonly TradeOffPanel[]): { series: DoseSeries[]; without: string[] } {
  const series: DoseSeries[] = [], without: string[] = [];
  for (const { title, points, source } of panels) {
    const dosed = points.filter(({ rate }) => rate === 1);
    const none = dosed.find(({ replay }) => replay === 0);
    if (none === undefined || dosed.length < 2) continue;
    if (none.forgotten < LEAST_FORGOTTEN) {
      without.push(title);
      continue;
    }
    const doses = dosed.map((point) => ({
      replay: point.replay,
      removed: (none.forgotten - point.forgotten) / none.forgotten,
      point,
    }));
    series.push({ title, ...(source === undefined ? {} : { source }), doses });
  }
  return { series, without };
}

/** Looks of dose series: ours solid, those of others dotted. */
export function doseStyles(series: readonly DoseSeries[]): ArmStyle[] {
  return series.map(({ title, source }, index) => {
    const [colour, marker] = LOOKS[(index + 1) % LOOKS.length] as typeof LOOKS[number];
    return { label: title, colour, marker, dash: source === undefined ? "" : "2 3" };
  });
}

/** Share of forgetting removed (y) by share of replay (x, the doses evenly apart). */
export function doseChart(
  series: readonly DoseSeries[],
  styles: readonly ArmStyle[],
  title: string,
  link: (runKey: string) => string | undefined,
): Chart {
  const shares = replayShares(series.flatMap(({ doses }) => doses));
  const place = ({ replay, removed }: DoseSeries["doses"][number]): Point => [shares.indexOf(replay), removed];
  const styled = series.map((one, index) => ({ ...one, style: styles[index] as ArmStyle }));
  return {
    title,
    description: "Share of what is forgotten without replay that a share of replay removes. " +
      series.map(({ title, doses }) =>
        `${title}: ${
          doses.map(({ replay, removed }) => `${share(replay)} removes ${removedInWords(removed)}`).join(", ")
        }.`
      ).join(" "),
    x: {
      label: "share of the windows that are upstream’s",
      domain: [0, Math.max(1, shares.length - 1)],
      ticks: shares.map((_, index) => index),
      format: (index) => share(shares[Math.round(index)] ?? NaN),
    },
    y: {
      label: "share of forgetting removed",
      domain: room([0, 1, ...series.flatMap(({ doses }) => doses.map(({ removed }) => removed))]),
      format: (removed) => removedInWords(removed),
    },
    lines: styled.map(({ doses, style }) => ({ points: doses.map(place), style })),
    markers: styled.flatMap(({ doses, style, source }) =>
      doses.map((dose): ChartMarker => ({ at: place(dose), style, hollow: source !== undefined }))
    ),
    rules: [],
    labels: [],
    notes: [],
    spots: styled.flatMap(({ doses, style, source }) =>
      doses.filter(({ replay }) => replay > 0).map((dose): ChartSpot => ({
        title: `${share(dose.replay)} replay`,
        values: [{ style, text: `removes ${removedInWords(dose.removed)} of forgetting` }],
        dots: [{ at: place(dose), style }],
        href: dose.point.run === undefined ? addressOf(source) : link(dose.point.run.runKey),
      }))
    ).slice(0, MAX_SPOTS),
  };
}

/** `+12 %`, `−0.5 %`. */
export function signed(value: number): string {
  const shown = percent(Math.abs(value));
  return /[1-9]/.test(shown) ? `${value < 0 ? "−" : "+"}${shown}` : shown;
}

/** A share of forgetting in percent, with the decimal that tells studies apart. */
export function removedInWords(removed: number): string {
  return share(Number((removed * 100).toFixed(1))).replace("-", "−");
}

/** A share in percent, from percent. */
export function share(percents: number): string {
  return `${trimmed(percents, 2)}\u00a0%`;
}

function inWords({ forgotten, behind }: TradeOffPoint): string {
  return `upstream ${signed(forgotten)}, downstream ${signed(behind)}`;
}

/** Where a study is read. */
function addressOf(source: string | undefined): string | undefined {
  const paper = /arXiv (\d{4}\.\d{5})/.exec(source ?? "")?.[1];
  return paper === undefined ? undefined : `https://arxiv.org/abs/${paper}`;
}

function room(values: readonly number[]): [number, number] {
  const [low, high] = extent(values);
  const edge = high > low ? (high - low) * 0.08 : 0.01;
  return [low - edge, high + edge];
}
