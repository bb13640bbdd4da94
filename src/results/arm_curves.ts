/** What claims and numbers are read from: the curves of arms, and where on them a paper's token count lies. */
import { PAPER_DOWNSTREAM_TOKENS, scaledSteps } from "../experiment/scale/paper_units.ts";
import { type CurvePoint, type Curves, pointAt } from "./curves.ts";
import type { PaperPoint } from "./rules/parts.ts";

/** The curve of one arm of one experiment at one seed. */
export interface ArmCurves {
  /** such as `max-learning-rate` */
  readonly experiment: string;
  /** such as `2x` */
  readonly arm: string;
  /** repetition, from 0 */
  readonly seedIndex: number;
  /** of the run that the arm reads */
  readonly runKey: string;
  /** steps of the run that the arm looks at; later evaluations belong to other arms */
  readonly steps: number;
  /** of the whole run */
  readonly curves: Curves;
}

/** The scale at which claims are judged. */
export interface JudgeContext {
  readonly scale: string;
  /** whether model, tokens and corpora are the paper's own, so that absolute numbers can be compared */
  readonly isPaperScale: boolean;
  /** T: steps that stand for the paper's 296,859,205,632 tokens */
  readonly totalDownstreamSteps: number;
  /** training tokens a step of continued training */
  readonly tokensPerStep: number;
  /** tokens of the model's vocabulary: guessing costs its logarithm */
  readonly vocabularySize: number;
  /** tokens of pre-training, at this scale or by those who trained the imported model */
  readonly pretrainingTokens: number;
}

/** Why something could not be read off the curves; becomes the reason of a `not comparable` verdict. */
export class CannotRead extends Error {
  override readonly name = "CannotRead";
}

/** `max-learning-rate/1x`. */
export function armName(arm: Pick<ArmCurves, "experiment" | "arm">): string {
  return `${arm.experiment}/${arm.arm}`;
}

/** Name of an arm in sentences: `1x` of `max-learning-rate/1x`. */
export function shortName(run: string): string {
  return run.slice(run.indexOf("/") + 1);
}

/** The arms that a rule names, in its order, at one seed. */
export interface SeedGroup {
  readonly seedIndex: number;
  readonly arms: readonly ArmCurves[];
}

/**
 * The named arms, grouped by seed, ascending; only seeds at which all of them were run, so that differences are
 * paired.
 *
 * @throws {CannotRead} if an arm was not run, or no seed has them all
 */
export function groupBySeed(names: readonly string[], all: readonly ArmCurves[]): SeedGroup[] {
  const wanted = new Set(names);
  const found = new Map<string, Map<number, ArmCurves>>();
  for (const arm of all) {
    const name = armName(arm);
    if (!wanted.has(name)) continue;
    const bySeed = found.get(name) ?? new Map<number, ArmCurves>();
    if (!bySeed.has(arm.seedIndex)) bySeed.set(arm.seedIndex, arm);
    found.set(name, bySeed);
  }
  const missing = names.filter((name) => !found.has(name));
  if (missing.length > 0) {
    const list = [...new Set(missing)].map((name) => `"${name}"`).join(", ");
    throw new CannotRead(
      `${missing.length === 1 ? "arm" : "arms"} ${list} ${missing.length === 1 ? "was" : "were"} not run`,
    );
  }
  const seeds = [...new Set(found.values().flatMap((bySeed) => bySeed.keys()))].sort((a, b) => a - b);
  const groups = seeds.flatMap((seedIndex) => {
    const arms = names.map((name) => found.get(name)?.get(seedIndex));
    return arms.every((arm) => arm !== undefined) ? [{ seedIndex, arms }] : [];
  });
  if (groups.length === 0) {
    throw new CannotRead(`no seed has all of ${names.map((name) => `"${name}"`).join(", ")}`);
  }
  return groups;
}

/**
 * Step at this scale that stands for a point of the paper.
 *
 * @param arms `end` is the last step that all of these look at
 */
export function stepOf(point: PaperPoint, arms: readonly ArmCurves[], context: JudgeContext): number {
  return point === "end"
    ? Math.min(...arms.map((arm) => arm.steps))
    : scaledSteps(point, PAPER_DOWNSTREAM_TOKENS, context.totalDownstreamSteps);
}

/** The paper's tokens that a step at this scale stands for. */
export function paperTokensOf(step: number, context: JudgeContext): number {
  return step / context.totalDownstreamSteps * PAPER_DOWNSTREAM_TOKENS;
}

/** `50B`, `0.6B`: tokens of the paper for sentences. */
export function formatPaperTokens(tokens: number): string {
  const billions = tokens / 1e9;
  return `${billions < 9.95 ? billions.toFixed(1).replace(/\.0$/, "") : billions.toFixed(0)}B`;
}

/** How far an evaluation may lie from the step that a rule names, as a share of that step and of the horizon. */
const NEAREST_SHARE_OF_STEP = 0.1;
const NEAREST_SHARE_OF_HORIZON = 0.02;

/**
 * The step nearest to a point of the paper at which every arm has an evaluation (the earlier of two equally near
 * ones): arms are compared at one and the same step, never across steps, and nothing is interpolated.
 *
 * @throws {CannotRead} if an arm diverged or ended before, or no such step lies near
 */
export function commonStepNear(point: PaperPoint, arms: readonly ArmCurves[], context: JudgeContext): number {
  const target = stepOf(point, arms, context);
  refuseDivergedBefore(target, arms);
  const allowed = Math.max(target * NEAREST_SHARE_OF_STEP, context.totalDownstreamSteps * NEAREST_SHARE_OF_HORIZON);
  let nearest: number | undefined;
  for (const step of commonSteps(arms)) {
    if (nearest === undefined || Math.abs(step - target) < Math.abs(nearest - target)) nearest = step;
  }
  if (nearest === undefined || nearest === 0 || Math.abs(nearest - target) > allowed) {
    const shortest = [...arms].sort((a, b) => lastStep(a) - lastStep(b))[0];
    const ends = shortest !== undefined && lastStep(shortest) < target
      ? `the curve of "${armName(shortest)}" ends at step ${lastStep(shortest)}`
      : `the arms have no common evaluation there`;
    throw new CannotRead(`the rule reads step ${target} (${pointInWords(point)}), but ${ends}`);
  }
  return nearest;
}

/**
 * Evaluation steps after 0 that all arms share, up to a point of the paper.
 *
 * @throws {CannotRead} if an arm diverged before the point, or there is no such step
 */
export function commonStepsWithin(tokens: number, arms: readonly ArmCurves[], context: JudgeContext): number[] {
  const last = stepOf(tokens, arms, context);
  refuseDivergedBefore(last, arms);
  const steps = commonSteps(arms).filter((step) => step > 0 && step <= last);
  if (steps.length === 0) {
    throw new CannotRead(
      `there is no evaluation in the first ${last} steps (${pointInWords(tokens)}) that the rule reads`,
    );
  }
  return steps;
}

/** The evaluation of an arm at one of its steps. */
export function evaluationAt(arm: ArmCurves, step: number): CurvePoint {
  const point = pointAt(arm.curves, step);
  if (point === undefined || step > arm.steps) {
    throw new CannotRead(`the curve of "${armName(arm)}" has no evaluation at step ${step}`);
  }
  return point;
}

/** Steps at which all arms have an evaluation, ascending. */
export function commonSteps(arms: readonly ArmCurves[]): number[] {
  const [first, ...others] = arms.map((arm) =>
    arm.curves.points.filter((point) => point.step <= arm.steps).map((point) => point.step)
  );
  const sets = others.map((steps) => new Set(steps));
  return (first ?? []).filter((step) => sets.every((set) => set.has(step)));
}

function lastStep(arm: ArmCurves): number {
  return arm.curves.points.findLast((point) => point.step <= arm.steps)?.step ?? 0;
}

function refuseDivergedBefore(step: number, arms: readonly ArmCurves[]): void {
  for (const arm of arms) {
    const { diverged } = arm.curves;
    if (diverged === undefined || diverged.step >= Math.min(step, arm.steps)) continue;
    throw new CannotRead(
      `"${armName(arm)}" (seed ${arm.seedIndex}) diverged at step ${diverged.step} (loss ${diverged.loss}), before ` +
        `step ${step} that the rule reads`,
    );
  }
}

function pointInWords(point: PaperPoint): string {
  return point === "end" ? "the end of the run" : `${formatPaperTokens(point)} tokens of the paper`;
}
