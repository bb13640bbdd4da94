/**
 * `training.json` beside a run: on which machines it was trained, from step to step, and the digest of each checkpoint as
 * it was written. It is kept apart from `run.json`, which is the same whoever trains.
 */
import { z } from "zod";
import { canonicalJson } from "../../digest/canonical_json.ts";
import { digestSchema } from "../../digest/digest_schema.ts";
import { recordSchema } from "../../digest/record_schema.ts";
import type { Digest } from "../../digest/sha256.ts";
import type { RunKey } from "../../experiment/run/run.ts";

/** The machine and the program that train. */
export interface TrainerFacts {
  /** the machine's name, which tells machines apart and is not published; absent where it may not be known */
  readonly host?: string;
  /** the scheduler's job */
  readonly job?: string;
  readonly os: string;
  readonly architecture: string;
  readonly cpu: string;
  /** `none`, or the model with its driver */
  readonly gpu: string;
  readonly deno: string;
  /** its name, and what it says of itself */
  readonly engine: { readonly name: string; readonly description: Readonly<Record<string, string>> };
}

/** Who trained from a step on, up to the next period. */
export interface TrainedPeriod extends TrainerFacts {
  readonly fromStep: number;
}

/** What stands in the file. */
export interface TrainingNotes {
  readonly format: "rewarm training v1";
  readonly key: RunKey;
  /** ascending by step */
  readonly trainedBy: readonly TrainedPeriod[];
  /** SHA-256 of checkpoints by their names, taken while they were written */
  readonly checkpoints: Readonly<Record<string, Digest>>;
}

/** Periods of one run that are told apart; more are joined to the last. */
export const MAX_PERIODS = 200;

const text = z.string().max(4000);

/** What a file may hold of a machine. */
export const trainerShape = {
  job: text.exactOptional(),
  os: text,
  architecture: text,
  cpu: text,
  gpu: text,
  deno: text,
  engine: z.strictObject({
    name: text,
    description: recordSchema(z.string().min(1).max(200), text),
  }),
};

/** What may stand in `training.json`. */
export const trainingNotesSchema: z.ZodType<TrainingNotes> = z.strictObject({
  format: z.literal("rewarm training v1"),
  key: digestSchema as z.ZodType<RunKey>,
  trainedBy: z.array(z.strictObject({ fromStep: z.int().min(0), host: text.exactOptional(), ...trainerShape }))
    .max(MAX_PERIODS),
  checkpoints: recordSchema(z.string().regex(/^step-\d{6,}\.safetensors$/), digestSchema),
});

/**
 * The periods of a run that begins or resumes at a step. A process on the machine that trained before, with the same
 * engine and job, goes on with its period.
 */
export function trainedFrom(
  step: number,
  before: readonly TrainedPeriod[],
  now: TrainerFacts | undefined,
): readonly TrainedPeriod[] {
  const kept = before.filter(({ fromStep }) => fromStep < step);
  const last = kept.at(-1);
  if (now === undefined || kept.length >= MAX_PERIODS) return kept;
  if (last !== undefined) {
    const { fromStep: _, ...facts } = last;
    if (canonicalJson(facts) === canonicalJson(now)) return kept;
  }
  return [...kept, { fromStep: step, ...now }];
}
