/**
 * Whether a run can be retrained here, asked before data are prepared, memory is taken or a batch is read: a signed
 * manifest may state a model or a batch of any size.
 */
import type { Engine } from "../engine/engine.ts";
import { UserError } from "../errors.ts";
import { compactNumber } from "../text/numbers.ts";
import type { TrainedRun } from "../manifest/format/run.ts";
import { parameterCount } from "../model/config.ts";
import { conditionDifferences, type Conditions } from "../train/conditions.ts";
import { requirePenalties } from "../train/start/penalty.ts";
import { sessionOptions } from "../train/session_pool.ts";

/** Bytes of a batch's tokens; two are read into memory beside the engine's. A batch of the paper's has 4.5 MB. */
const MAX_BATCH_BYTES = 256 * 2 ** 20;
/** Training windows of a run, whose order is walked one by one; the paper's longest run reads 146 million. */
const MAX_WINDOWS = 2 ** 30;

/**
 * Refuses a run whose bits this engine cannot compare, or that is too large for it.
 *
 * @throws {UserError} `ENGINE_CANNOT_RETRAIN`, `NO_PENALTIES`, or `TOO_LARGE_TO_RETRAIN` naming what the run states and the limit
 */
export function requireEngine(run: TrainedRun, engine: Engine): void {
  const { level, arithmetic } = run.specification.engine;
  if (level === "not_guaranteed" || engine.level !== level || arithmetic !== engine.arithmetic) {
    throw new UserError(
      "ENGINE_CANNOT_RETRAIN",
      `Run "${run.label}" was computed by "${arithmetic}" (${level}), and the engine here computes by ` +
        `"${engine.arithmetic}" (${engine.level})`,
      level === "not_guaranteed"
        ? "that engine promises no bits; only retraining and comparing the curves shows anything"
        : "retrain it with the version of rewarm and the engine that made it",
    );
  }
  if (level === "run_to_run") {
    const known = Object.keys(engine.conditions ?? {});
    requireConditions(run, engine.conditions, (name) => known.includes(name));
  }
  requirePenalties([run], engine);
  const flaw = batchFlaw(run) ?? memoryFlaw(run, engine);
  if (flaw !== undefined) {
    throw new UserError("TOO_LARGE_TO_RETRAIN", `Run "${run.label}" cannot be retrained here: ${flaw}`);
  }
}

/**
 * Refuses a run whose bits depend on more than is given here: they hold under its conditions, all of them and throughout.
 *
 * @param isAsked which conditions are known so far; default: all
 * @throws {UserError} `ENGINE_CANNOT_RETRAIN` naming what differs
 */
export function requireConditions(
  { label, conditions = [] }: TrainedRun,
  here: Conditions = {},
  isAsked: (name: string) => boolean = () => true,
): void {
  const [first, second] = conditions;
  const then = Object.entries(first?.conditions ?? {}).filter(([name]) => isAsked(name));
  const differences = conditionDifferences(Object.fromEntries(then), here);
  if (second === undefined && differences.length === 0) return;
  throw new UserError(
    "ENGINE_CANNOT_RETRAIN",
    second === undefined
      ? `Run "${label}" was computed under other conditions: ${differences.join("; ")}`
      : `Run "${label}" was resumed under other conditions at step ${second.fromStep}`,
    "its bits are promised on the same GPU model with the same driver and libraries only",
  );
}

function batchFlaw({ specification, journal }: TrainedRun): string | undefined {
  const { batchSequences, model } = specification;
  const batchBytes = 2 * batchSequences * (model.sequenceLength + 1);
  if (batchBytes > MAX_BATCH_BYTES) {
    return `it states batches of ${batchSequences} sequences of ${model.sequenceLength} tokens, which take ` +
      `${compactNumber(batchBytes)}B, and at most ${compactNumber(MAX_BATCH_BYTES)}B are read at a time`;
  }
  const windows = (journal.steps + 1) * batchSequences;
  if (windows > MAX_WINDOWS) {
    return `it states ${journal.steps} steps of ${batchSequences} sequences, ${compactNumber(windows)} windows, and ` +
      `the order of at most ${compactNumber(MAX_WINDOWS)} is followed`;
  }
  return undefined;
}

function memoryFlaw(run: TrainedRun, engine: Engine): string | undefined {
  try {
    engine.memoryBytes(sessionOptions(run));
    return undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const { model } = run.specification;
    return `it states a model of hidden size ${model.hiddenSize}, ${model.layers} layers and ` +
      `${model.sequenceLength} tokens a window, ${compactNumber(parameterCount(model))} parameters. ${error.message}`;
  }
}
