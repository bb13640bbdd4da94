/**
 * A scale with another model, or less of everything: the same experiments, at a size that a laptop checks in minutes.
 * The scale records what was changed, and so do the plan and the manifest.
 */
import { UserError } from "../../errors.ts";
import { printable } from "../../files/safe_name.ts";
import { MODEL_PRESETS, type ModelPreset, type PresetModel, presetModel } from "../../model/presets.ts";
import { MAX_STEPS } from "../../schedule/specification.ts";
import type { Phase, Scale } from "./scale.ts";

/** What is changed; all else follows. */
export interface ScaleChanges {
  /** another published shape, with its own maximum learning rate */
  readonly model?: ModelPreset;
  /**
   * tokens of the whole downstream schedule, in place of the scale's; pre-training, intervals and validation windows
   * shrink with it, and the batch where the schedule would have fewer than {@linkcode LEAST_STEPS} steps
   */
  readonly tokens?: number;
  /** sequences in an optimizer step, in both phases; there are as many tokens as before */
  readonly batchSequences?: number;
  /** tokens of a window without its last target; there are as many tokens as before */
  readonly sequenceLength?: number;
  /** validation windows of each corpus in an evaluation */
  readonly evaluationWindows?: number;
}

/** Fewest optimizer steps that a shortened schedule is given of its own accord: a warm-up of 1 % is more than one of them. */
export const LEAST_STEPS = 128;
/** Most checkpoints, evaluations, and evaluations of the dense part that a shortened schedule has between landmarks. */
const MOST_CHECKPOINTS = 4, MOST_EVALUATIONS = 32, MOST_DENSE_EVALUATIONS = 10;
/** Fewest validation windows that a shortened schedule is given of its own accord. */
const LEAST_WINDOWS = 8;

/**
 * The scale with its changes.
 *
 * @throws {UserError} `BAD_CHANGE` for a number that is not positive, or not whole where windows are counted
 */
export function changeScale(scale: Scale, changes: ScaleChanges): Scale {
  const words = inWords(changes);
  if (words.length === 0) return scale;
  const model = changes.model === undefined ? scale.model : presetModel(changes.model);
  const before = scale.model.config.sequenceLength;
  const { sequenceLength = before } = changes;
  const { continuing } = scale;
  const horizon = continuing.steps * continuing.batchSequences * before;
  const { tokens = horizon } = changes;
  const share = tokens / horizon;
  const { batchSequences, gradientBlockSequences } = changeBatch(scale, changes, tokens, sequenceLength);
  const withWindow = ({ config, maxLearningRate }: PresetModel): PresetModel => ({
    config: { ...config, sequenceLength },
    maxLearningRate,
  });
  // Further models are chosen for the scale's own; beside another they mean nothing.
  const { models, ...rest } = scale;
  const kept = models === undefined || changes.model !== undefined ? {} : {
    models: Object.fromEntries(Object.entries(models).map(([name, other]) => [name, withWindow(other)])),
  };
  const phase = (original: Phase): Phase =>
    changePhase(original, {
      tokens: original.steps * original.batchSequences * before * share,
      sequenceLength,
      batchSequences: batchSequences ?? original.batchSequences,
    });
  return {
    ...rest,
    ...kept,
    model: withWindow(model),
    pretraining: phase(scale.pretraining),
    continuing: phase(continuing),
    gradientBlockSequences,
    evaluationWindows: changes.evaluationWindows ??
      (share < 1
        ? atLeast(scale.evaluationWindows * share, LEAST_WINDOWS, scale.evaluationWindows)
        : scale.evaluationWindows),
    ...(scale.landmarkWindows === undefined || share >= 1 ? {} : {
      landmarkWindows: atLeast(scale.landmarkWindows * share, LEAST_WINDOWS, scale.landmarkWindows),
    }),
    changes: [...scale.changes ?? [], ...words],
  };
}

/**
 * The batch of both phases, and a gradient block that divides it. Without a word about batches they stay, each phase its
 * own (then `batchSequences` is absent), unless there would be too few steps.
 */
function changeBatch(
  { pretraining, continuing, gradientBlockSequences }: Scale,
  { batchSequences }: ScaleChanges,
  tokens: number,
  sequenceLength: number,
): { readonly batchSequences?: number; readonly gradientBlockSequences: number } {
  if (batchSequences !== undefined) {
    return { batchSequences, gradientBlockSequences: commonDivisor(gradientBlockSequences, batchSequences) };
  }
  if (tokens >= LEAST_STEPS * continuing.batchSequences * sequenceLength) return { gradientBlockSequences };
  const fitting = Math.max(1, Math.floor(tokens / (sequenceLength * LEAST_STEPS)));
  const batch = Math.min(pretraining.batchSequences, continuing.batchSequences, fitting);
  const block = Math.min(gradientBlockSequences, batch);
  return { batchSequences: batch - batch % block, gradientBlockSequences: block };
}

/** As many steps as the tokens make, and all that is counted in steps in proportion. */
function changePhase(
  { steps: before, checkpointInterval, evaluation: { interval, denseInterval, denseUntilStep } }: Phase,
  { tokens, sequenceLength, batchSequences }: {
    readonly tokens: number;
    readonly sequenceLength: number;
    readonly batchSequences: number;
  },
): Phase {
  const steps = Math.max(1, Math.round(tokens / (batchSequences * sequenceLength)));
  if (steps > MAX_STEPS) {
    throw new UserError(
      "BAD_CHANGE",
      `The changed scale has ${steps} steps of ${batchSequences} sequences of ${sequenceLength} tokens, at most ` +
        `${MAX_STEPS} are planned`,
      "give fewer tokens, or a larger batch",
    );
  }
  // As often as before, but of a short schedule not so often that there is hardly anything else.
  const every = (count: number, within: number, most: number) =>
    Math.max(1, Math.round(count * steps / before), steps < before ? Math.ceil(within / most) : 1);
  const denseUntil = Math.round(denseUntilStep * steps / before);
  return {
    steps,
    batchSequences,
    checkpointInterval: every(checkpointInterval, steps, MOST_CHECKPOINTS),
    evaluation: {
      interval: every(interval, steps, MOST_EVALUATIONS),
      denseInterval: every(denseInterval, denseUntil, MOST_DENSE_EVALUATIONS),
      denseUntilStep: denseUntil,
    },
  };
}

function atLeast(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.round(value)));
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

/** Counts among the changes, by the options' names for them. */
const COUNTS = {
  "batch": "batchSequences",
  "context": "sequenceLength",
  "evaluation-windows": "evaluationWindows",
} as const;

/**
 * The changes that a scale says were made of it.
 *
 * @param words `ScaleChanges` as options say them, such as `tokens 2000000`
 * @throws {UserError} `BAD_CHANGE`
 */
export function changesFromWords(words: readonly string[]): ScaleChanges {
  const changes: Record<string, number | string> = {};
  const members = new Map<string, string>([["tokens", "tokens"], ...Object.entries(COUNTS)]);
  for (const word of words) {
    const [name = "", value = ""] = word.split(" ", 2);
    const member = members.get(name);
    if (name === "model" && MODEL_PRESETS.some((preset) => preset === value)) changes.model = value;
    else if (member !== undefined && /^\d{1,16}$/.test(value)) changes[member] = Number(value);
    else throw new UserError("BAD_CHANGE", `The change "${printable(word)}" of the scale is not known`);
  }
  return changes;
}

/** What was changed, for the plan, as options say it; checks the numbers. */
function inWords(changes: ScaleChanges): string[] {
  const { model, tokens } = changes;
  const words = model === undefined ? [] : [`model ${model}`];
  if (tokens !== undefined) {
    if (!(tokens >= 1 && tokens <= Number.MAX_SAFE_INTEGER)) throw badChange("tokens", tokens, "a number from 1");
    words.push(`tokens ${tokens}`);
  }
  for (const [name, member] of Object.entries(COUNTS)) {
    const count = changes[member];
    if (count === undefined) continue;
    if (!Number.isSafeInteger(count) || count < 1) throw badChange(name, count, "a whole number from 1");
    words.push(`${name} ${count}`);
  }
  return words;
}

function badChange(name: string, value: number, expected: string): UserError {
  return new UserError("BAD_CHANGE", `The ${name} of the changed scale is ${value}`, `expected ${expected}`);
}
