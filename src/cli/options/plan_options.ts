/** Options that determine a plan, shared by the subcommands that make one. */
import { describeCorpora } from "../../data/corpora.ts";
import { isNotFetched } from "../../data/hub/lock.ts";
import { corpusOptions } from "../../data/scale_corpora.ts";
import { chooseEngine, ENGINE_OPTIONS } from "../../engine/catalogue.ts";
import { hasCode, suggest, UserError } from "../../errors.ts";
import type { ScaleChanges } from "../../experiment/scale/change_scale.ts";
import { digestsOfCorpora, mixesOf } from "../../experiment/arm/mixes.ts";
import { buildPlan, type Plan, type PlanOptions, planWithout } from "../../experiment/plan/plan.ts";
import { leftOutLines } from "../../experiment/plan/plan_text.ts";
import { parseReadings, READINGS, type Readings } from "../../experiment/readings.ts";
import { plannedChoice } from "../../experiment/arm/start.ts";
import { MODEL_PRESETS, type ModelPreset } from "../../model/presets.ts";
import { requirePenalties } from "../../train/start/penalty.ts";
import { findStart } from "../../train/start/find_start.ts";
import { parseDecimal, type Values } from "../arguments.ts";
import { EXPERIMENT_OPTIONS, foldersFromOptions } from "./experiment_options.ts";
import { DEFAULT_SCALE } from "../settings.ts";
import { printWarning } from "../../terminal.ts";
import { filesFromOptions, SOURCE_OPTIONS, sourcesFromOptions } from "./source_options.ts";

const READING_CHOICES = Object.entries(READINGS).map(([name, values]) => `${name}=${values.join("|")}`).join(", ");

/** See above. */
export const PLAN_OPTIONS = {
  scale: {
    kind: "text",
    value: "NAME",
    help: `smoke, tiny, laptop, small, medium or paper (default: ${DEFAULT_SCALE})`,
  },
  set: { kind: "text", value: "NAME", help: "the paper's experiments, those beyond it, or all (default: paper)" },
  only: { kind: "list", value: "NAME…", help: "only these experiments, or arms as EXPERIMENT/ARM" },
  seeds: { kind: "count", value: "N", help: "repetitions with other seeds (default: 1)" },
  reading: {
    kind: "list",
    value: "NAME=HOW…",
    help: `how the paper's open points are read, the first by default: ${READING_CHOICES}`,
  },
  model: { kind: "text", value: "NAME", help: `another model than the scale's: ${MODEL_PRESETS.join(", ")}` },
  tokens: {
    kind: "text",
    value: "N",
    help: "downstream tokens of the whole schedule, such as 2e6; all else shrinks alike",
  },
  batch: { kind: "count", value: "N", help: "sequences in an optimizer step" },
  context: { kind: "count", value: "N", help: "tokens of a sequence" },
  "evaluation-windows": { kind: "count", value: "N", help: "validation windows of each corpus in an evaluation" },
  ...EXPERIMENT_OPTIONS,
  ...SOURCE_OPTIONS,
  ...ENGINE_OPTIONS,
  json: { kind: "flag", help: "print the plan as JSON" },
} as const;

/** What of the options changes the scale, and how open points are read. */
export function choicesFromOptions(
  values: Values<typeof PLAN_OPTIONS>,
): { readonly changes: ScaleChanges; readonly readings: Readings } {
  const { model, batch, context, "evaluation-windows": windows } = values;
  return {
    changes: {
      model: model === undefined ? undefined : presetName(model),
      tokens: values.tokens === undefined ? undefined : tokenCount(values.tokens),
      batchSequences: batch,
      sequenceLength: context,
      evaluationWindows: windows,
    },
    readings: parseReadings(values.reading ?? []),
  };
}

function presetName(name: string): ModelPreset {
  const preset = MODEL_PRESETS.find((known) => known === name);
  if (preset !== undefined) return preset;
  throw new UserError("UNKNOWN_MODEL", `Unknown model "${name}"`, suggest(name, MODEL_PRESETS));
}

function tokenCount(text: string): number {
  const tokens = parseDecimal(text);
  if (tokens !== undefined && Number.isSafeInteger(tokens) && tokens >= 1) return tokens;
  throw new UserError("BAD_NUMBER", `Option "--tokens" is "${text}"`, "expected a whole number from 1, such as 2e6");
}

/**
 * The plan that options ask for; corpora are described, not prepared. A scale whose data or models are not there is
 * planned without them; arms that it does not have are told.
 */
export async function planFromOptions(values: Values<typeof PLAN_OPTIONS>): Promise<Plan> {
  const files = filesFromOptions(values);
  const sources = sourcesFromOptions(values);
  const { start: _, ...downloads } = sources;
  const options: PlanOptions = {
    scale: values.scale ?? DEFAULT_SCALE,
    seeds: values.seeds ?? 1,
    engine: chooseEngine(values).identity,
    ...choicesFromOptions(values),
    ...foldersFromOptions(values),
    only: values.only,
    ownFiles: files === undefined ? undefined : true,
    ownMixes: sources.mixFiles === undefined ? undefined : Object.keys(sources.mixFiles),
    ...plannedChoice(sources.start),
  };
  const { plan, leftOut } = await planWithout(options);
  for (const line of leftOutLines(leftOut)) printWarning(line);
  requirePenalties(plan.runs, chooseEngine(values));
  const mixes = mixesOf(plan.runs);
  const places = {
    ...downloads,
    mixes,
    corpusFiles: files,
  };
  const corpora = await ifAtHand(() => describeCorpora(corpusOptions(plan.scale, places)));
  const found = await ifAtHand(() => findStart(plan.scale, sources));
  if (corpora === undefined && found === undefined) return plan;
  return await buildPlan({
    ...options,
    corpusDigests: corpora === undefined ? undefined : digestsOfCorpora(corpora),
    imported: found?.checkpoints,
  });
}

/** What was found; undefined where it was not downloaded yet. */
async function ifAtHand<T>(find: () => Promise<T>): Promise<T | undefined> {
  try {
    return await find();
  } catch (error) {
    if (isNotFetched(error) || hasCode(error, "MIX_NOT_GIVEN")) return undefined;
    throw error;
  }
}
