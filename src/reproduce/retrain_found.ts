/**
 * Retraining pieces of runs before anything is signed: of runs that lay in the folder, since whoever made the folder
 * could make its files agree with each other, but not with a training that never took place.
 */
import type { Engine } from "../engine/engine.ts";
import { UserError } from "../errors.ts";
import type { ArtefactReader } from "../manifest/verify/artefacts.ts";
import { isTrained, type ManifestRun, type RetrainedSegment } from "../manifest/format/run.ts";
import { chooseSegments, drawSeed, worthOf } from "../retrain/choice.ts";
import { RetrainingMismatch } from "../retrain/difference.ts";
import { requireEngine } from "../retrain/means.ts";
import { type Segment, segmentsOf } from "../retrain/segment.ts";
import { type SegmentWork, Trainer } from "../retrain/trainer.ts";
import type { RunKey } from "../experiment/run/run.ts";
import type { PlanCorpora } from "../train/evaluation/evaluation.ts";
import type { OpenImported } from "../train/checkpoint/imported_weights.ts";
import type { RunResult } from "../train/train_plan.ts";

/** Pieces that a run may state; the manifest's schema has the same bound. */
const MAX_PIECES = 1000;

/** What the choice rests on. */
const CONDITION = "This holds of whatever lay in the folder before the seed was drawn, which was a moment ago.";

/** Which segments are retrained: so many, drawn at random, or all. */
export type RetrainCount = number | "all";

/** The segments that are retrained. */
export interface RetrainFoundChoice {
  /** in the order of the plan */
  readonly segments: readonly Segment[];
  /** segments that this process did not train, of which they were chosen */
  readonly total: number;
  /** randomness of this process that drew them; absent if all are retrained */
  readonly seed?: string;
  /** what the choice is worth, in whole sentences */
  readonly worth: string;
}

/** What retraining tells whoever watches. */
export interface RetrainFoundEvents {
  /** the segments are chosen; training starts next */
  readonly onRetrain?: (choice: RetrainFoundChoice) => void;
  /** a segment was retrained and gave the recorded bits */
  readonly onRetrained?: (segment: Segment, work: SegmentWork) => void;
}

/** What runs are retrained with. */
export interface RetrainFoundOptions extends RetrainFoundEvents {
  readonly count: RetrainCount;
  readonly results: readonly RunResult[];
  /** as they are to be signed */
  readonly runs: readonly ManifestRun[];
  readonly artefacts: ArtefactReader;
  readonly engine: Engine;
  readonly corpora: PlanCorpora;
  readonly imported?: OpenImported;
  readonly signal?: AbortSignal;
}

/**
 * Refuses to promise what the engine cannot give, before hours are spent on training.
 *
 * @throws {UserError} `ENGINE_CANNOT_RETRAIN`
 */
export function requireRetraining({ name, level }: Engine): void {
  if (level !== "not_guaranteed") return;
  throw new UserError(
    "ENGINE_CANNOT_RETRAIN",
    `Engine "${name}" promises no bits, so that retraining shows nothing`,
    'leave out "--retrain", or choose another engine',
  );
}

/**
 * Trains segments again that this process took from the folder.
 *
 * @returns the runs, with what of them was retrained
 * @throws {UserError} `RETRAINING_DIFFERS`, naming the first difference; `TOO_MANY_PIECES`; as the trainer throws
 * @throws {Interrupted} when `signal` is aborted
 */
export async function retrainFound(options: RetrainFoundOptions): Promise<readonly ManifestRun[]> {
  const { runs, artefacts, engine, corpora, imported, signal } = options;
  const choice = choose(options);
  options.onRetrain?.(choice);
  if (choice.segments.length === 0) return runs;
  const pieces = new Map(runs.map(({ key }) => [key, piecesOf(key, choice.segments)]));
  if ([...pieces.values()].some(({ length }) => length > MAX_PIECES)) {
    throw new UserError("TOO_MANY_PIECES", `A run can state at most ${MAX_PIECES} pieces`, 'give "--retrain all"');
  }
  for (const run of new Set(choice.segments.map((segment) => segment.run))) requireEngine(run, engine);
  const trainer = new Trainer({
    runs,
    artefacts,
    engine,
    corpora,
    imported,
    signal,
  });
  try {
    for (const segment of choice.segments) {
      const work = await trainer.retrain(segment);
      options.onRetrained?.(segment, work);
    }
  } catch (error) {
    if (!(error instanceof RetrainingMismatch)) throw error;
    const { seed } = choice;
    throw new UserError(
      "RETRAINING_DIFFERS",
      `Nothing is signed, ${error.message}${seed === undefined ? "" : ` (seed ${seed})`}`,
      "remove the run's folder to train it anew",
      { cause: error },
    );
  } finally {
    trainer.close();
  }
  return runs.map((run) => {
    const retrained = pieces.get(run.key) ?? [];
    return isTrained(run) && retrained.length > 0 ? { ...run, retrained } : run;
  });
}

/** Draws among the segments that were found; the randomness is this process's, which nobody knew who made the folder. */
function choose({ count, results, runs }: RetrainFoundOptions): RetrainFoundChoice {
  const found = new Map(results.map((result) => [result.run.key, result]));
  const segments = segmentsOf(runs).filter(({ run, from }) => {
    const result = found.get(run.key);
    return result?.kind === "trained" && (result.origin === "found" || from < result.foundSteps);
  });
  const total = segments.length;
  if (total === 0) {
    return { segments, total, worth: "Nothing was found in the folder: this process trained every step." };
  }
  if (count === "all" || count >= total) return { segments, total, worth: worthOf(segments, total) };
  const seed = drawSeed();
  return { segments: chooseSegments(segments, count, seed), total, seed, worth: worthOf(segments, count, CONDITION) };
}

/** The segments of a run as pieces, ascending; those that touch are one. */
function piecesOf(key: RunKey, segments: readonly Segment[]): RetrainedSegment[] {
  const pieces: RetrainedSegment[] = [];
  for (const { run, from, to } of segments) {
    if (run.key !== key) continue;
    const last = pieces.at(-1);
    if (last?.toStep === from) pieces[pieces.length - 1] = { fromStep: last.fromStep, toStep: to };
    else pieces.push({ fromStep: from, toStep: to });
  }
  return pieces;
}
