/** What may stand for a run in a file that is not trusted: in a plan, a manifest, or a scale. */
import { z } from "zod";
import { digestSchema } from "../../digest/digest_schema.ts";
import { modelSchema } from "../../model/model_schema.ts";
import { MAX_STEPS, scheduleSchema } from "../../schedule/specification.ts";
import { penaltySchema } from "./penalty.ts";
import { replaySchema } from "./replay.ts";
import type { ArmReference, OptimizerSpecification, RunKey, RunSpecification } from "./run.ts";

/** Most repetitions a plan may have. */
export const MAX_SEEDS = 1000;

/** Most runs of a plan; 17 at each seed are those of the paper. */
export const MAX_RUNS = 20_000;

/** Most windows of a validation set whose losses are kept by document: their line of the journal stays within its limit. */
export const MAX_LANDMARK_WINDOWS = 20_000;

/** A word or sentence for people. */
export const textSchema = z.string().min(1).max(4000).meta({
  id: "Text",
  description: "A word or sentence for people",
});

const runKeySchema = digestSchema as unknown as z.ZodType<RunKey>;
const wholeNumber = z.int().min(0);
const positiveInteger = z.int().min(1);
const fraction = z.number().min(0).max(1);

/** AdamW's numbers. */
export const optimizerSchema: z.ZodType<OptimizerSpecification> = z.strictObject({
  beta1: fraction,
  beta2: fraction,
  epsilon: z.number().positive(),
  weightDecay: z.number().min(0),
  gradientClip: z.number().positive(),
});

/** What an engine promises, and by which arithmetic. */
export const engineSchema = z.strictObject({
  level: z.enum(["machine_to_machine", "run_to_run", "not_guaranteed"]),
  arithmetic: textSchema,
}) satisfies z.ZodType<RunSpecification["engine"]>;

/** Steps at which validation sets are evaluated, apart from landmarks. */
export const evaluationGridShape = {
  interval: positiveInteger,
  denseInterval: positiveInteger,
  denseUntilStep: wholeNumber,
};

const runCheckpoint = { run: runKeySchema, step: wholeNumber };
const importedStart = z.strictObject({ kind: z.literal("imported"), weights: digestSchema, step: wholeNumber });

/** A run's specification: what its key is the digest of. */
const runSpecificationSchema = z.strictObject({
  model: modelSchema,
  initialWeights: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("random"), seed: wholeNumber }),
    z.strictObject({
      kind: z.literal("checkpoint"),
      ...runCheckpoint,
      optimizerState: z.literal("carried").optional(),
    }),
    importedStart,
    z.strictObject({
      kind: z.literal("interpolation"),
      from: z.discriminatedUnion("kind", [
        z.strictObject({ kind: z.literal("checkpoint"), ...runCheckpoint }),
        importedStart,
      ]),
      to: z.strictObject(runCheckpoint),
      fraction: z.number().gt(0).lt(1),
    }),
  ]),
  corpus: z.strictObject({
    name: z.enum(["upstream", "downstream"]),
    digest: digestSchema,
    mix: z.string().regex(/^[a-z0-9][a-z0-9-]{0,40}$/).optional(),
  }),
  replay: replaySchema.optional(),
  validation: z.strictObject({ upstream: digestSchema, downstream: digestSchema }),
  orderSeed: wholeNumber,
  schedule: scheduleSchema,
  scheduleDigest: digestSchema,
  optimizer: optimizerSchema,
  penalty: penaltySchema.optional(),
  batchSequences: positiveInteger,
  gradientBlockSequences: positiveInteger,
  evaluation: z.strictObject({
    windows: positiveInteger,
    landmarkWindows: positiveInteger.max(MAX_LANDMARK_WINDOWS).exactOptional(),
    ...evaluationGridShape,
    landmarks: z.array(wholeNumber).max(1000),
  }),
  checkpointInterval: positiveInteger,
  engine: engineSchema,
}).meta({
  id: "RunSpecification",
  description: "Everything that determines a run's bits; SHA-256 of its canonical JSON (RFC 8785) is the run's key",
}) satisfies z.ZodType<RunSpecification>;

const armReferenceSchema = z.strictObject({
  experiment: textSchema,
  arm: textSchema,
  seedIndex: wholeNumber.max(MAX_SEEDS - 1),
  steps: wholeNumber,
}).meta({
  id: "ArmReference",
  description: "An arm of an experiment that reads the run, and up to which step",
}) satisfies z.ZodType<ArmReference>;

/** Members of a planned run; a manifest's run has more. */
export const plannedRunShape = {
  key: runKeySchema,
  label: z.string().regex(/^[\p{L}\p{N}_.%+-]{1,200}$/u),
  specification: runSpecificationSchema,
  /** optimizer steps planned; none where a start is only evaluated */
  steps: wholeNumber.max(MAX_STEPS),
  /** steps that other runs start from */
  checkpointSteps: z.array(wholeNumber).max(10_000),
  usedBy: z.array(armReferenceSchema).max(1000),
};
