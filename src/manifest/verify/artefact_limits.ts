/** How large each artefact can be, by what the statement says of it. Web-standard APIs only. */
import { evaluationCount } from "../../experiment/run/evaluation.ts";
import { MAX_CURVES_LENGTH } from "../../results/curves_schema.ts";
import { maxCheckpointBytes } from "../../train/checkpoint/checkpoint_size.ts";
import { MAX_LINE_BYTES, MAX_LONG_LINE_BYTES } from "../../train/journal/journal_record.ts";
import type { Statement } from "../format/predicate.ts";
import { isTrained, type TrainedRun } from "../format/run.ts";
import { leafCount } from "../format/run_tree.ts";
import { MAX_PLAN_BYTES } from "./verify_plan.ts";

/** A page, a copy of the rules: what no member of the predicate describes further. */
const MAX_OTHER_BYTES = 2 ** 28;

/** Bytes of `curves.json` besides its points, and of a point with all digits of its numbers, generously. */
const CURVES_HEAD_BYTES = 4096;
const POINT_BYTES = 512;

/** Bytes of a run's `curves.json` that are worth reading: there is no more than one point a step. */
export function maxCurvesBytes({ journal, specification }: Pick<TrainedRun, "journal" | "specification">): number {
  // Losses by domain and document come on top.
  if (specification.evaluation.landmarkWindows !== undefined) return MAX_CURVES_LENGTH;
  return Math.min(MAX_CURVES_LENGTH, CURVES_HEAD_BYTES + POINT_BYTES * (journal.steps + 1));
}

/** Lines of a journal that may be long: where losses are kept by document, the header and the evaluations. */
function longLines({ specification: { evaluation }, journal }: TrainedRun): number {
  return evaluation.landmarkWindows === undefined ? 0 : 1 + evaluationCount(evaluation, journal.steps);
}

/**
 * Limits in bytes by name. A file that is longer, or has no end, is not what was signed, and is not read to find that
 * out.
 */
export function artefactLimits({ predicate }: Statement): (name: string) => number {
  const limits = new Map([[predicate.plan.name, MAX_PLAN_BYTES]]);
  for (const run of predicate.runs.filter(isTrained)) {
    // At least as many lines as a journal can have, since every line is a leaf.
    limits.set(run.journal.name, leafCount(run) * (MAX_LINE_BYTES + 1) + longLines(run) * MAX_LONG_LINE_BYTES);
    limits.set(run.curves.name, MAX_CURVES_LENGTH);
    const checkpointBytes = maxCheckpointBytes(run.specification.model);
    for (const { checkpoint } of run.states) {
      if (checkpoint !== undefined) limits.set(checkpoint.name, checkpointBytes);
    }
  }
  return (name) => limits.get(name) ?? MAX_OTHER_BYTES;
}
