/**
 * Whether a scale is a fair proxy of the paper's: ratios of its design beside the paper's own, with bounds that were
 * fixed before any result was looked at (docs/scales.md gives the reasons). They judge the design, never an outcome.
 */
import { parameterCount } from "../../model/config.ts";
import type { CorpusName } from "../run/run.ts";
import type { Scale } from "./scale.ts";

/** Training text that there is: each domain's share of the windows, and its tokens, each counted once. */
export type TextSupply = Readonly<
  Record<CorpusName, readonly { readonly weight: number; readonly tokens: number }[]>
>;

/** A ratio of the design. */
export interface Criterion {
  /** stable, for programs */
  readonly id: string;
  /** in a few words, with the unit */
  readonly name: string;
  /** the paper's; undefined where it does not say */
  readonly paper?: number;
  /** the ratio may be no less, and no more */
  readonly bounds: { readonly least?: number; readonly most?: number };
}

/** A criterion at a scale. */
export interface JudgedCriterion extends Criterion {
  /** the scale's; undefined where it cannot be counted */
  readonly ours?: number;
  /** whether it is within the bounds; undefined where it cannot be counted */
  readonly holds?: boolean;
}

/** Percent of the horizon that the paper's warm-up takes in most of its runs. */
const WARMUP_PERCENT = 1;

/** All criteria, with how a scale's value is found. */
const CRITERIA: readonly (Criterion & { ours(scale: Scale, supply: TextSupply | undefined): number | undefined })[] = [
  {
    id: "tokens-per-parameter",
    name: "tokens of pre-training a parameter",
    paper: 740,
    bounds: { least: 74 },
    ours: (scale) => phaseTokens(scale, "pretraining") / parameterCount(scale.model.config),
  },
  {
    id: "continuing-to-pretraining",
    name: "tokens of the horizon ÷ those of pre-training",
    paper: 0.99,
    bounds: { least: 0.9, most: 2 },
    ours: (scale) => phaseTokens(scale, "continuing") / phaseTokens(scale, "pretraining"),
  },
  {
    id: "decay-over-horizon",
    name: "learning rate · weight decay · steps of the horizon",
    paper: 3.94,
    bounds: { least: 1.3, most: 12 },
    ours: ({ model, optimizer, continuing }) => model.maxLearningRate * optimizer.weightDecay * continuing.steps,
  },
  {
    id: "warmup-to-memory",
    name: "steps of a 1 % warm-up ÷ Adam's memory 1/(1 − β₂)",
    paper: 65.6,
    bounds: { least: 1 },
    ours: ({ optimizer, continuing }) => WARMUP_PERCENT / 100 * continuing.steps * (1 - optimizer.beta2),
  },
  {
    id: "repetitions",
    name: "times that the most repeated text is read in a phase",
    paper: 1.3,
    bounds: { most: 4 },
    ours: repetitions,
  },
  {
    id: "overlap",
    name: "percent of downstream that is of upstream's main family",
    bounds: { most: 5 },
    ours: ({ data }) => overlapPercent(data),
  },
];

/**
 * All criteria at a scale, in a fixed order.
 *
 * @param supply training text that there is; without it repetitions are not counted
 */
export function scaleCriteria(scale: Scale, supply?: TextSupply): JudgedCriterion[] {
  return CRITERIA.map(({ ours: valueAt, ...criterion }) => {
    const ours = valueAt(scale, supply);
    if (ours === undefined) return criterion;
    const { least = -Infinity, most = Infinity } = criterion.bounds;
    // Ratios are compared as they are shown: a scale of whole steps cannot meet a bound to the last digit.
    const shown = Number(formatRatio(ours));
    return { ...criterion, ours, holds: least <= shown && shown <= most };
  });
}

/** Tokens of a phase's whole horizon. */
function phaseTokens(scale: Scale, phase: "pretraining" | "continuing"): number {
  const { steps, batchSequences } = scale[phase];
  return steps * batchSequences * scale.model.config.sequenceLength;
}

function repetitions(scale: Scale, supply: TextSupply | undefined): number | undefined {
  if (supply === undefined) return undefined;
  const read = { upstream: phaseTokens(scale, "pretraining"), downstream: phaseTokens(scale, "continuing") };
  const times = (["upstream", "downstream"] as const).flatMap((corpus) => {
    const total = supply[corpus].reduce((sum, { weight }) => sum + weight, 0);
    return supply[corpus].map(({ weight, tokens }) => read[corpus] * weight / total / tokens);
  });
  return times.length === 0 ? undefined : Math.max(...times);
}

/** Undefined where corpora are not made of named families. */
function overlapPercent(data: Scale["data"]): number | undefined {
  if (data.kind !== "embedded") return undefined;
  const main = Object.entries(data.upstream).reduce((a, b) => b[1] > a[1] ? b : a)[0];
  const mix = new Map(Object.entries(data.mixes[data.downstream] ?? {}));
  return 100 * (mix.get(main) ?? 0) / [...mix.values()].reduce((sum, weight) => sum + weight, 0);
}

/** A ratio with three significant digits. */
export function formatRatio(ratio: number): string {
  return String(Number(ratio.toPrecision(3)));
}

/** `≥ 74`, `0.9 to 2`, `≤ 4`. */
export function formatBounds({ least, most }: Criterion["bounds"]): string {
  if (least === undefined) return `≤ ${most}`;
  return most === undefined ? `≥ ${least}` : `${least} to ${most}`;
}

/** The criteria of a scale as a plain-text table. */
export function formatCriteria(judged: readonly JudgedCriterion[]): string {
  const rows = [
    ["fair proxy? (docs/scales.md)", "here", "paper", "bounds", ""],
    ...judged.map(({ name, ours, paper, bounds, holds }) => [
      name,
      ours === undefined ? "not counted" : formatRatio(ours),
      paper === undefined ? "not stated" : formatRatio(paper),
      formatBounds(bounds),
      holds === undefined ? "" : holds ? "yes" : "no",
    ]),
  ];
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const widths = (rows[0] ?? []).map((_, column) => width(column));
  return rows.map((row) =>
    row.map((cell, column) =>
      column === 0 || column === 4 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
    ).join("  ").trimEnd()
  ).join("\n");
}
