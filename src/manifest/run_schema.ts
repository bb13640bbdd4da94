/** What the predicate says of a run. */
import { z } from "zod";
import type { Digest } from "../digest/sha256.ts";
import type { ArmReference, PlannedRun, RunKey, RunSpecification } from "../experiment/run.ts";
import { SCHEDULE_KINDS } from "../schedule/specification.ts";

/** 64 lower-case hexadecimal digits. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/, {
  error: "a SHA-256 digest: 64 lower-case hexadecimal digits",
}).meta({ id: "Digest", description: "SHA-256, 64 lower-case hexadecimal digits" }) as unknown as z.ZodType<Digest>;
const runKeySchema = digestSchema as unknown as z.ZodType<RunKey>;

/** A word or sentence for people. */
export const textSchema = z.string().min(1).max(4000).meta({
  id: "Text",
  description: "A word or sentence for people",
});
/** A name relative to the manifest's folder. */
export const artefactNameSchema = z.string().min(1).max(1024).meta({
  id: "Name",
  description: "Relative path, parts separated by /",
});

const wholeNumber = z.int().min(0);
const positiveNumber = z.int().min(1);
const rate = z.number().min(0).max(1e6);

const modelSchema = z.strictObject({
  hiddenSize: positiveNumber,
  layers: positiveNumber,
  heads: positiveNumber,
  intermediateSize: positiveNumber,
  vocabularySize: positiveNumber,
  sequenceLength: positiveNumber,
  rotaryFraction: z.number().min(0).max(1),
  rotaryBase: z.number().positive(),
  layerNormEpsilon: z.number().positive(),
});

/** Schedules longer than this are refused before their table is computed; the paper's has 131,296 steps. */
export const MAX_STEPS = 2_000_000;

const scheduleSchema = z.strictObject({
  kind: z.enum(SCHEDULE_KINDS),
  totalSteps: positiveNumber.max(MAX_STEPS),
  warmupSteps: z.number().min(0),
  maxLearningRate: rate,
  minLearningRate: rate,
  decayFraction: z.number().min(0).max(1).exactOptional(),
  cooldownFraction: z.number().min(0).max(1).exactOptional(),
  cooldown: z.enum(["cosine", "inverse-square-root"]).exactOptional(),
  constantLearningRate: rate.exactOptional(),
  annealFraction: z.number().min(0).max(1).exactOptional(),
});

/** A run's specification: what its key is the digest of. */
export const runSpecificationSchema = z.strictObject({
  model: modelSchema,
  initialWeights: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("random"), seed: wholeNumber }),
    z.strictObject({ kind: z.literal("checkpoint"), run: runKeySchema, step: wholeNumber }),
  ]),
  corpus: z.strictObject({ name: z.enum(["upstream", "downstream"]), digest: digestSchema }),
  validation: z.strictObject({ upstream: digestSchema, downstream: digestSchema }),
  orderSeed: wholeNumber,
  schedule: scheduleSchema,
  scheduleDigest: digestSchema,
  optimizer: z.strictObject({
    beta1: z.number(),
    beta2: z.number(),
    epsilon: z.number(),
    weightDecay: z.number(),
    gradientClip: z.number(),
  }),
  batchSequences: positiveNumber,
  gradientBlockSequences: positiveNumber,
  evaluation: z.strictObject({
    windows: positiveNumber,
    interval: positiveNumber,
    denseInterval: positiveNumber,
    denseUntilStep: wholeNumber,
    landmarks: z.array(wholeNumber).max(1000),
  }),
  checkpointInterval: positiveNumber,
  engine: z.strictObject({
    level: z.enum(["machine_to_machine", "run_to_run", "not_guaranteed"]),
    arithmetic: textSchema,
  }),
}).meta({
  id: "RunSpecification",
  description: "Everything that determines a run's bits; SHA-256 of its canonical JSON (RFC 8785) is the run's key",
}) satisfies z.ZodType<RunSpecification>;

const armReferenceSchema = z.strictObject({
  experiment: textSchema,
  arm: textSchema,
  seedIndex: wholeNumber,
  steps: wholeNumber,
}).meta({
  id: "ArmReference",
  description: "An arm of an experiment that reads the run, and up to which step",
}) satisfies z.ZodType<ArmReference>;

/** An artefact: the same name and digest as one of the statement's subjects. */
export const artefactSchema = z.strictObject({ name: artefactNameSchema, sha256: digestSchema }).meta({
  id: "Artefact",
  description: "Name and digest of one of the statement's subjects",
});

const planned = {
  key: runKeySchema,
  label: z.string().regex(/^[\p{L}\p{N}_.%+-]{1,200}$/u),
  specification: runSpecificationSchema,
  /** optimizer steps planned */
  steps: positiveNumber.max(MAX_STEPS),
  /** steps that other runs start from */
  checkpointSteps: z.array(wholeNumber).max(10_000),
  usedBy: z.array(armReferenceSchema).max(1000),
};

const evidence = {
  journal: z.strictObject({
    ...artefactSchema.shape,
    /** chain digest of the last record */
    root: digestSchema,
    /** optimizer steps recorded: those planned, or more where an earlier plan in the same folder was longer */
    steps: wholeNumber,
  }).meta({ description: "The journal; root is the chain digest of its last record, steps those recorded" }),
  /** state digests recorded in the journal, ascending by step; `checkpoint` where the state is an artefact */
  states: z.array(
    z.strictObject({ step: wholeNumber, state: digestSchema, checkpoint: artefactSchema.exactOptional() }),
  )
    .max(1_000_000)
    .meta({ description: "State digests in the journal, ascending; checkpoint where the state is an artefact" }),
  curves: artefactSchema,
};

/** A run with what it left: the evidence that verification goes back to. */
export const runSchema = z.discriminatedUnion("outcome", [
  z.strictObject({ ...planned, outcome: z.enum(["completed", "diverged"]), ...evidence }),
  z.strictObject({ ...planned, outcome: z.literal("skipped"), reason: textSchema }),
]).meta({ id: "Run", description: "A planned run, and what it left if it was trained" });

/** A type all of whose members are read-only. */
export type DeepReadonly<T> = T extends string | number | boolean | null | undefined ? T
  : { readonly [K in keyof T]: DeepReadonly<T[K]> };

/** A run in the predicate. */
export type ManifestRun = DeepReadonly<z.infer<typeof runSchema>>;
/** A run that was trained, to its end or to its divergence. */
export type TrainedRun = Exclude<ManifestRun, { outcome: "skipped" }>;

/** What the plan says of a run, without what it left. */
export function plannedPart(run: ManifestRun): PlannedRun {
  const { key, label, specification, steps, checkpointSteps, usedBy } = run;
  return { key, label, specification, steps, checkpointSteps, usedBy };
}

/** Whether a run was trained: it has evidence. */
export function isTrained(run: ManifestRun): run is TrainedRun {
  return run.outcome !== "skipped";
}
