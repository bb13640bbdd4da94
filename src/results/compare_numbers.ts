/** The paper's numbers beside ours: setup, learning rates, numbers in the text, axis ranges, and the follow-up's. */
import { PAPER_DOWNSTREAM_TOKENS } from "../experiment/scale/paper_units.ts";
import type { PlannedRun } from "../experiment/run/run.ts";
import { learningRate } from "../schedule/learning_rate.ts";
import {
  type ArmCurves,
  armName,
  CannotRead,
  commonStepNear,
  evaluationAt,
  formatPaperTokens,
  groupBySeed,
  type JudgeContext,
  shortName,
} from "./arm_curves.ts";
import { decimal } from "./contrast.ts";
import type { CurveReading, Paper } from "./paper_schema.ts";
import { earlierFact } from "./earlier_facts.ts";
import { planNumber } from "./plan_number.ts";
import { mean } from "./statistics/summary.ts";

/** Where a number of the paper comes from. */
export type ComparisonKind = "setup" | "text" | "axis" | "follow-up";

/** A number of the paper beside ours; plain JSON. */
export interface ComparisonRow {
  /** where the paper's number stands */
  readonly kind: ComparisonKind;
  /** stable, from `experiments/paper.yaml` */
  readonly id: string;
  /** what it is, with its unit */
  readonly name: string;
  /** as it is printed there */
  readonly paper: string;
  /** section, table or figure of the paper, or the follow-up's arXiv number */
  readonly source: string;
  /** how the number is known: A, B, C or ? */
  readonly confidence: string;
  /** our number; `—` where there is none */
  readonly ours: string;
  /** false where this scale measures something else */
  readonly comparable: boolean;
  /** of comparable rows that are judged: whether the numbers agree */
  readonly agrees?: boolean;
  /** why it is comparable or not, and how it was compared */
  readonly reason: string;
}

/** What numbers are compared with: the scale and the plan. */
export interface CompareContext extends JudgeContext {
  readonly runs: readonly PlannedRun[];
}

const NOTHING = "—";

/** Compares every number of `experiments/paper.yaml` with the plan and the curves, in the order of the file. */
export function compareNumbers(paper: Paper, context: CompareContext, arms: readonly ArmCurves[]): ComparisonRow[] {
  return [
    ...paper.setup.map((entry) => setupRow(entry, context)),
    ...domainRows(paper.domains),
    ...paper.learningRates.rows.map((row) => learningRateRow(row, paper.learningRates, context)),
    ...paper.textNumbers.map((entry) => textRow(entry, arms, context)),
    ...paper.axisRanges.map((axis) => axisRow(axis, arms, context)),
    ...paper.followUpNumbers.map((entry) => followUpRow(entry, paper.followUp, arms, context)),
  ];
}

function named(entry: { readonly name: string; readonly unit: string }): string {
  return entry.unit === "" ? entry.name : `${entry.name} (${entry.unit})`;
}

/** Whole numbers in full, others to nine significant digits: shares such as 976/1464 need no more. */
function plain(value: number): string {
  return String(Number.isSafeInteger(value) ? value : Number(value.toPrecision(9)));
}

/** Equal to nine digits: the plan's shares are quotients of whole numbers. */
function equal(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
}

function setupRow(entry: Paper["setup"][number], context: CompareContext): ComparisonRow {
  const row = {
    kind: "setup" as const,
    id: entry.id,
    name: named(entry),
    paper: String(entry.value),
    source: entry.section,
    confidence: entry.confidence,
  };
  const note = entry.note === undefined ? "" : `; ${entry.note}`;
  if (entry.ours === undefined) {
    return { ...row, ours: NOTHING, comparable: false, reason: entry.note ?? "the plan has no such number" };
  }
  const { by, at } = entry.ours;
  const found = numberOfPlan(entry.ours, context.runs);
  if (found === undefined) {
    return { ...row, ours: NOTHING, comparable: false, reason: "the plan has no run that it could be read from" };
  }
  const { number: ours, divisor: steps = NaN } = found;
  if (at === "paper-scale" && !context.isPaperScale) {
    return {
      ...row,
      ours: plain(ours),
      comparable: false,
      reason: `belongs to the paper's model and tokens, and scale "${context.scale}" has its own${note}`,
    };
  }
  if (by === "shown" || typeof entry.value === "string") {
    return { ...row, ours: plain(ours), comparable: true, reason: `side by side, not judged${note}` };
  }
  if (by === "exact") {
    return { ...row, ours: plain(ours), comparable: true, agrees: equal(ours, entry.value), reason: `exactly${note}` };
  }
  return {
    ...row,
    ours: plain(ours),
    comparable: true,
    agrees: Math.abs(ours - entry.value) * steps <= 0.5 + 1e-6,
    reason: `as a share, as near as ${steps} whole steps allow${note}`,
  };
}

function numberOfPlan(
  { fact, value, ...number }: NonNullable<Paper["setup"][number]["ours"]>,
  runs: readonly PlannedRun[],
): ReturnType<typeof planNumber> {
  if (fact !== undefined) return earlierFact(fact, runs);
  return value === undefined ? undefined : planNumber({ value, ...number }, runs);
}

function domainRows(domains: Paper["domains"]): ComparisonRow[] {
  return domains.rows.map((row) => ({
    kind: "setup",
    id: `domain-${row.name.toLowerCase()}`,
    name: `${row.name}: sampling (%), train and validation tokens`,
    paper: `${row.samplingPercent}; ${row.trainTokens / 1e9}B; ${row.validationTokens / 1e6}M`,
    source: domains.section,
    confidence: domains.confidence,
    ours: NOTHING,
    comparable: false,
    reason: "the mixture of SlimPajama's domains; the plan's corpora state theirs",
  }));
}

/** More than the rounding of rates that are known to four digits; another schedule is off by hundredths. */
const RATE_TOLERANCE = 0.0005;

/** The plan's schedule at the paper's token count, taken as a function of a fraction of its steps. */
function learningRateRow(
  { tokens, rate }: Paper["learningRates"]["rows"][number],
  rates: Paper["learningRates"],
  context: CompareContext,
): ComparisonRow {
  const share = rate / rates.maxLearningRate;
  const row = {
    kind: "setup" as const,
    id: `learning-rate-${formatPaperTokens(tokens).toLowerCase().replace(".", "-")}`,
    name: `learning rate of ${shortName(rates.run)} at ${formatPaperTokens(tokens)} tokens (share of the maximum)`,
    paper: decimal(share, 3),
    source: rates.section,
    confidence: rates.confidence,
  };
  const planned = context.runs.find((run) =>
    run.usedBy.some((use) => armName(use) === rates.run && use.seedIndex === 0)
  );
  if (planned === undefined) {
    return { ...row, ours: NOTHING, comparable: false, reason: `arm "${rates.run}" is not in the plan` };
  }
  const { schedule } = planned.specification;
  const step = tokens / PAPER_DOWNSTREAM_TOKENS * schedule.totalSteps;
  const ours = learningRate(schedule, step) / schedule.maxLearningRate;
  return {
    ...row,
    ours: decimal(ours, 3),
    comparable: true,
    agrees: Math.abs(ours - share) <= RATE_TOLERANCE,
    reason: `at step ${decimal(step, 1)} of ${schedule.totalSteps}, within ${RATE_TOLERANCE}`,
  };
}

/** A statistic of our curves, in nats: the mean over seeds of what the reading asks for. */
function readCurves(reading: CurveReading, arms: readonly ArmCurves[], context: JudgeContext): number {
  return mean(
    groupBySeed(reading.runs, arms).map(({ arms }) => {
      const values = arms.map((arm) => {
        if (reading.at !== undefined) {
          return evaluationAt(arm, commonStepNear(reading.at, arms, context))[reading.metric];
        }
        if (arm.curves.diverged !== undefined) {
          throw new CannotRead(`"${armName(arm)}" diverged at step ${arm.curves.diverged.step}`);
        }
        const losses = visible(arm, reading.metric);
        const start = losses[0];
        if (start === undefined) throw new CannotRead(`the curve of "${armName(arm)}" has no evaluation`);
        return losses.reduce((a, b) => Math.max(a, b)) - (reading.statistic === "peak-rise" ? start : 0);
      });
      return Math.max(...values);
    }),
  );
}

function visible(arm: ArmCurves, metric: "upstream" | "downstream"): number[] {
  return arm.curves.points.filter((point) => point.step <= arm.steps).map((point) => point[metric]);
}

/** Our number as three decimals, or why there is none. */
function readOrReason(
  reading: CurveReading,
  arms: readonly ArmCurves[],
  context: JudgeContext,
): { readonly ours: string; readonly missing?: string } {
  try {
    return { ours: decimal(readCurves(reading, arms, context), 3) };
  } catch (error) {
    if (!(error instanceof CannotRead)) throw error;
    return { ours: NOTHING, missing: error.message };
  }
}

function otherScale(context: JudgeContext): string {
  return `losses of a 410M model are not those of scale "${context.scale}"`;
}

function textRow(
  entry: Paper["textNumbers"][number],
  arms: readonly ArmCurves[],
  context: JudgeContext,
): ComparisonRow {
  const { ours, missing } = readOrReason(entry.ours, arms, context);
  const note = entry.note === undefined ? "" : `; ${entry.note}`;
  return {
    kind: "text",
    id: entry.id,
    name: named(entry),
    paper: String(entry.value),
    source: entry.section,
    confidence: entry.confidence,
    ours,
    comparable: context.isPaperScale && missing === undefined,
    reason: missing ?? (context.isPaperScale ? `side by side${note}` : otherScale(context)),
  };
}

function axisRow(axis: Paper["axisRanges"][number], arms: readonly ArmCurves[], context: JudgeContext): ComparisonRow {
  const row = {
    kind: "axis" as const,
    id: `axis-figure-${axis.figure}-${axis.metric}`,
    name: `axis of figure ${axis.figure}, ${axis.metric} loss (nats)`,
    paper: `${axis.low} to ${axis.high}`,
    source: `Figure ${axis.figure}`,
    confidence: axis.confidence,
  };
  const read = arms.filter((arm) => axis.runs.includes(armName(arm)));
  const losses = read.flatMap((arm) => visible(arm, axis.metric));
  if (losses.length === 0) return { ...row, ours: NOTHING, comparable: false, reason: "none of its arms was run" };
  const low = losses.reduce((a, b) => Math.min(a, b)), high = losses.reduce((a, b) => Math.max(a, b));
  const inside = losses.filter((loss) => loss >= axis.low && loss <= axis.high).length;
  return {
    ...row,
    ours: `${decimal(low, 3)} to ${decimal(high, 3)}`,
    comparable: context.isPaperScale,
    reason: context.isPaperScale
      ? `an axis bounds a plot and is no result: ${inside} of our ${losses.length} evaluations lie inside`
      : `an axis bounds a plot and is no result, and ${otherScale(context)}`,
  };
}

function followUpRow(
  entry: Paper["followUpNumbers"][number],
  followUp: Paper["followUp"],
  arms: readonly ArmCurves[],
  context: JudgeContext,
): ComparisonRow {
  const note = entry.note === undefined ? "" : `; ${entry.note}`;
  const { ours, missing } = entry.ours === undefined
    ? { ours: NOTHING, missing: "no run of this kit does this" }
    : readOrReason(entry.ours, arms, context);
  return {
    kind: "follow-up",
    id: entry.id,
    name: named(entry),
    paper: String(entry.value),
    source: followUp.arxiv,
    confidence: entry.confidence,
    ours,
    comparable: false,
    reason: (missing ?? (context.isPaperScale ? `another study: ${followUp.differences}` : otherScale(context))) + note,
  };
}
