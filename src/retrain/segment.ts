/** Segments: the pieces of training that a verification retrains, between states that journals record. */
import { UserError } from "../errors.ts";
import { tokensPerStep } from "../experiment/plan/cost.ts";
import { findRun } from "../manifest/format/find_run.ts";
import type { ManifestRun, TrainedRun } from "../manifest/format/run.ts";
import { isTrained } from "../manifest/format/run.ts";

/** A piece of a run. */
export interface Segment {
  /** the run that it is a piece of */
  readonly run: TrainedRun;
  /** optimizer steps done before it */
  readonly from: number;
  /** optimizer steps done after it */
  readonly to: number;
  /** whether it ends with the attempt at a step at which the run diverged */
  readonly diverges: boolean;
  /** training tokens, those of an attempted step included: its weight in a random choice */
  readonly tokens: number;
}

/** `RUN:FROM..TO`, as it is written and read. */
export function segmentName({ run, from, to }: Segment): string {
  return `${run.label}:${from}..${to}`;
}

/** The piece of a run between two steps. */
function pieceOf(run: TrainedRun, from: number, to: number): Segment {
  const diverges = run.outcome === "diverged" && to === run.journal.steps;
  return { run, from, to, diverges, tokens: (to - from + (diverges ? 1 : 0)) * tokensPerStep(run) };
}

/**
 * All segments of the trained runs, in the order of the runs and of the steps: each from one recorded state to the next,
 * and from the last state to the end of the journal where steps are left. Together they are every step of every run.
 */
export function segmentsOf(runs: readonly ManifestRun[]): Segment[] {
  return runs.filter(isTrained).flatMap((run) => {
    const last = run.journal.steps;
    const bounds = [...new Set([0, ...run.states.map(({ step }) => step), last])];
    const segments = bounds.slice(1).map((to, index) => pieceOf(run, bounds[index] ?? 0, to));
    // A run whose last state is where it diverged, or that took no step at all, ends with a piece without steps.
    const hasTail = bounds.length === 1 || (run.outcome === "diverged" && run.states.at(-1)?.step === last);
    if (!hasTail) return segments;
    const whole = segments.map((segment) => ({ ...segment, ...withoutDivergence(segment) }));
    return [...whole, pieceOf(run, last, last)];
  });
}

function withoutDivergence({ run, from, to }: Segment): Pick<Segment, "diverges" | "tokens"> {
  return { diverges: false, tokens: (to - from) * tokensPerStep(run) };
}

/**
 * The segment that a name means: `RUN:FROM..TO`, where RUN is a label or the beginning of a key and the steps are any of
 * the run.
 *
 * @throws {UserError} `BAD_SEGMENT` or `UNKNOWN_RUN`
 */
export function parseSegment(text: string, runs: readonly ManifestRun[]): Segment {
  const match = /^(.+):(\d{1,15})\.\.(\d{1,15})$/.exec(text);
  if (match === null) {
    throw new UserError(
      "BAD_SEGMENT",
      `"${text}" is no segment`,
      "write RUN:FROM..TO, such as upstream_pretrain_seed-0:16..32",
    );
  }
  const [, name = "", from, to] = match;
  const run = findRun(name, runs);
  const [first, last] = [Number(from), Number(to)];
  if (first >= last || last > run.journal.steps) {
    throw new UserError(
      "BAD_SEGMENT",
      `Segment "${text}" is not within run "${run.label}"`,
      `FROM must be below TO, and TO at most ${run.journal.steps}`,
    );
  }
  return pieceOf(run, first, last);
}
