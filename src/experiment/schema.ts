/** What may stand in experiments/*.yaml and experiments/scales/*.yaml. */
import { z } from "zod";
import { modelSchema } from "../model/model_schema.ts";
import { MODEL_PRESETS, presetModel } from "../model/presets.ts";
import { SCHEDULE_KINDS, type ScheduleKind, scheduleOf, type ScheduleParameters } from "../schedule/catalogue.ts";
import { MAX_ORDER } from "./run/seeds.ts";
import { PAPER_PRETRAINING_STEPS } from "./scale/paper_units.ts";
import { penaltySchema } from "./run/penalty.ts";
import { armReplaySchema } from "./run/replay.ts";
import { READING_NAMES } from "./readings.ts";
import { evaluationGridShape, MAX_LANDMARK_WINDOWS, optimizerSchema } from "./run/run_schema.ts";
import type { Scale } from "./scale/scale.ts";

const name = z.string().regex(/^[a-z0-9][a-z0-9.-]*$/);
const armName = z.string().regex(/^[a-z0-9][a-z0-9.%-]*$/);
/** `upstream` and `downstream` too, where a corpus is named. */
const mixName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,40}$/, { error: "upstream, downstream, or the name of a mix" });
const armReference = z.string().regex(/^[a-z0-9][a-z0-9.-]*\/[a-z0-9][a-z0-9.%-]*$/, { error: "EXPERIMENT/ARM" });
const fraction = z.number().min(0).max(1);
const positiveInteger = z.int().min(1);

/** Where an arm's weights come from. */
const startSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("random") }),
  z.strictObject({
    kind: z.literal("pretrained"),
    /** step of the paper's 143,000 pre-training steps; a scale takes the same fraction of its own */
    step: z.int().min(1).max(PAPER_PRETRAINING_STEPS),
    /** another arm of pre-training than `upstream/pretrain`, as EXPERIMENT/ARM */
    of: armReference.optional(),
    /** Adam's moments and count of updates go on from the checkpoint, however the open point is read */
    optimizerState: z.literal("carried").optional(),
  }),
  z.strictObject({
    kind: z.literal("interpolated"),
    /** an arm, as EXPERIMENT/ARM: the line leads from its own start to its end */
    to: armReference,
    /** how far along the line */
    fraction: z.number().gt(0).lt(1),
  }),
]);

const armShape = {
  /** as the reader sees it; the arm's name if absent */
  label: z.string().min(1).max(40).optional(),
  /** the same beside arms of other experiments */
  legend: z.string().min(1).max(60).optional(),
  /** `pretraining` and `continuing` have their own horizon and batch at each scale */
  phase: z.enum(["pretraining", "continuing"]),
  /** `upstream`, `downstream`, or a mix that stands for downstream, by its name in the scale's data */
  corpus: mixName,
  /** windows of the upstream corpus in place of some of the arm's own */
  replay: armReplaySchema.optional(),
  /** on the distance from the weights that the arm starts from */
  penalty: penaltySchema.optional(),
  /** another order of windows than that of all other arms, by its number */
  order: z.int().min(1).max(MAX_ORDER).optional(),
  /** another of the scale's models than its own, by name; scales without it leave the arm out */
  model: name.optional(),
  start: startSchema,
  /** minimum learning rate as a fraction of the maximum, in place of the scale's */
  minLearningRateFraction: fraction.optional(),
  /** further steps of the paper's 143,000 of pre-training at which a checkpoint is kept */
  checkpointSteps: z.array(z.int().min(1).max(PAPER_PRETRAINING_STEPS)).min(1).max(100).optional(),
  /** multiple of the model's own maximum learning rate, or `minimum`: the model's own minimum */
  maxLearningRate: z.union([z.number().positive().max(100), z.literal("minimum")], {
    error: 'a positive multiple of the model\'s own maximum learning rate, or "minimum"',
  }),
  /** percent of the whole horizon, also where the arm stops earlier */
  warmupPercent: z.number().min(0).max(50),
  /** the paper's tokens that the arm trains on; 0 for an interpolated start, which is only evaluated */
  tokens: z.number().min(0),
  /** the paper's tokens that the schedule is laid out for; without it, all of the phase's */
  horizonTokens: z.number().positive().optional(),
};

/** The fields of every arm, and those of its schedule. */
type ArmShape<Kind extends ScheduleKind> =
  & Omit<typeof armShape, keyof ScheduleParameters<Kind>>
  & { schedule: z.ZodLiteral<Kind> }
  & ScheduleParameters<Kind>;

/** One arm of an experiment, in the paper's units. */
export type Arm = { readonly [Kind in ScheduleKind]: Readonly<z.output<z.ZodObject<ArmShape<Kind>>>> }[ScheduleKind];

function armWith(kind: ScheduleKind) {
  const { words, parameters } = scheduleOf(kind);
  const schedule = z.literal(kind).describe(words);
  return z.strictObject({ ...armShape, schedule, ...parameters }, { error: otherSchedules });
}

/** Words for fields that belong to another schedule than the arm's. */
function otherSchedules(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== "unrecognized_keys") return undefined;
  const owners = SCHEDULE_KINDS.filter((kind) =>
    issue.keys.every((key) => Object.hasOwn(scheduleOf(kind).parameters, key))
  );
  return owners.length === 0 ? undefined : `only with schedule ${owners.map((kind) => `"${kind}"`).join(" or ")}`;
}

const [firstKind, ...otherKinds] = SCHEDULE_KINDS;

const armSchema = (z.discriminatedUnion("schedule", [
  armWith(firstKind),
  ...otherKinds.map(armWith),
]) as unknown as z.ZodType<Arm>).refine((arm) => arm.tokens <= (arm.horizonTokens ?? Infinity), {
  path: ["tokens"],
  error: "at most horizonTokens",
}).refine((arm) => arm.phase !== "pretraining" || arm.start.kind === "random", {
  path: ["start"],
  error: 'a random start, as the phase is "pretraining"',
}).refine((arm) => (arm.tokens === 0) === (arm.start.kind === "interpolated"), {
  path: ["tokens"],
  error: "0 where the start is interpolated, and more anywhere else",
}).refine((arm) => arm.penalty === undefined || arm.start.kind === "pretrained", {
  path: ["penalty"],
  error: "no penalty where there is no pre-trained start to stay near to",
}).refine((arm) => arm.order === undefined || arm.phase === "continuing", {
  path: ["order"],
  error: "no order of its own in pre-training",
}).refine((arm) => arm.checkpointSteps === undefined || arm.phase === "pretraining", {
  path: ["checkpointSteps"],
  error: "steps of pre-training, and so no part of another phase",
}).refine((arm) => arm.replay === undefined || arm.corpus !== "upstream", {
  path: ["replay"],
  error: "no replay, as the corpus is the one that would be replayed",
});

/** What a reading of one of the paper's open points changes of an experiment's continuing arms. */
const armChangeSchema = z.strictObject({ horizonTokens: z.number().positive() });

/** An experiment: the arms that it compares, and what it draws and claims of them. */
export const experimentSchema = z.strictObject({
  name,
  /** section of the paper, such as `4.1`; experiments are sorted by it */
  section: z.string().regex(/^\d+(\.\d+)*$/).optional(),
  /** where the question comes from, if not from the paper */
  source: z.string().min(1).max(200).optional(),
  title: z.string().min(1).max(120),
  /** figures of the paper that show its results */
  paperFigures: z.array(positiveInteger).default([]),
  /** what is varied, in one sentence */
  question: z.string().min(1).max(600),
  /** what is varied and what is held, for the report; the question if absent */
  introduction: z.string().min(1).max(600).optional(),
  arms: z.record(armName, armSchema).refine((arms) => Object.keys(arms).length > 0, { error: "at least one arm" }),
  /** by an open point's name and how it is read: what that changes */
  readings: z.partialRecord(z.enum(READING_NAMES), z.record(z.string(), armChangeSchema)).optional(),
  /** drawn in the report (`results/figure_schema.ts`) */
  figures: z.array(z.unknown()).default([]),
  /** with their rules (`results/claim_schema.ts`) */
  claims: z.array(z.unknown()).default([]),
  /** of open questions (`results/estimates/estimate_schema.ts`) */
  estimates: z.array(z.unknown()).default([]),
}).refine(({ section, source }) => (section === undefined) !== (source === undefined), {
  path: ["section"],
  error: "a section of the paper, or in its place the source of the question",
});

const maxLearningRate = z.number().positive().max(1);

/** A model by its name or by its shape. */
const namedModelSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("preset"), preset: z.enum(MODEL_PRESETS) }),
  z.strictObject({ kind: z.literal("shape"), shape: modelSchema, maxLearningRate }),
]).transform((model) =>
  model.kind === "preset" ? presetModel(model.preset) : { config: model.shape, maxLearningRate: model.maxLearningRate }
);

/** Models by the names that arms have for them. */
const furtherModels = <Model extends z.ZodType>(model: Model) =>
  z.record(name, model).refine((models) => Object.keys(models).length > 0, { error: "at least one model" })
    .optional();

const phaseSchema = z.strictObject({
  /** optimizer steps of the whole horizon */
  steps: positiveInteger,
  /** sequences in an optimizer step */
  batchSequences: positiveInteger,
  /** optimizer steps between checkpoints */
  checkpointInterval: positiveInteger,
  evaluation: z.strictObject(evaluationGridShape),
});

const repository = z.string().regex(/^[\w.-]+\/[\w.-]+$/, { error: "a repository of the hub: OWNER/NAME" });
const upstreamDataset = z.strictObject({
  dataset: repository,
  validation: repository.optional(),
  deduplicated: repository.optional(),
});
const downstreamDataset = z.strictObject({
  dataset: repository,
  leftOut: z.array(z.string().min(1)).min(1).max(100).optional(),
});

const familyWeights = z.record(z.string().regex(/^[a-z0-9-]{1,40}$/), z.number().positive().max(1e6))
  .refine((weights) => Object.keys(weights).length > 0, { error: "at least one family" });
const newMixName = mixName.refine((name) => name !== "upstream" && name !== "downstream", {
  error: 'another name than "upstream" and "downstream"',
});

/** Where a scale's text comes from when the user brings none. */
const dataSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("npm"), tokenizer: z.literal("bytes") }),
  z.strictObject({
    kind: z.literal("embedded"),
    tokenizer: z.literal("bytes"),
    upstream: familyWeights,
    downstream: newMixName,
    mixes: z.record(newMixName, familyWeights),
  }).refine(({ downstream, mixes }) => Object.hasOwn(mixes, downstream), {
    path: ["downstream"],
    error: "the name of one of the mixes",
  }),
  z.strictObject({
    kind: z.literal("huggingface"),
    tokenizer: z.literal("gpt-neox-20b"),
    upstream: upstreamDataset,
    downstream: downstreamDataset,
    mixes: z.array(newMixName).min(1).max(100).optional(),
  }),
]);

/** Which model is continued. */
const scaleStartSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("train") }),
  z.strictObject({ kind: z.literal("huggingface"), model: repository, deduplicated: repository.optional() }),
]);
const resolvedStartSchema = z.discriminatedUnion("kind", [
  ...scaleStartSchema.options,
  z.strictObject({ kind: z.literal("files") }),
]);

const scaleShape = {
  name,
  summary: z.string().min(1),
  /** minimum learning rate as a fraction of the maximum */
  minLearningRateFraction: fraction,
  optimizer: optimizerSchema,
  pretraining: phaseSchema,
  continuing: phaseSchema,
  /** sequences in a gradient block (docs/arithmetic.md); divides both batches */
  gradientBlockSequences: positiveInteger,
  /** validation windows of each corpus in an evaluation */
  evaluationWindows: positiveInteger,
  /** as many at most at the start and at landmarks, all of them where there are no more; keeps losses by document */
  landmarkWindows: positiveInteger.max(MAX_LANDMARK_WINDOWS).exactOptional(),
  data: dataSchema,
  start: scaleStartSchema.optional(),
};

/** A size at which all experiments can be run, as its file states it. */
export const scaleSchema: z.ZodType<Scale> = z.strictObject({
  ...scaleShape,
  model: namedModelSchema,
  models: furtherModels(namedModelSchema),
}).superRefine(refuseUnevenBatches).superRefine(refuseOtherWindows);

const resolvedModelSchema = z.strictObject({ config: modelSchema, maxLearningRate });

/** A scale whose models are resolved already, as a plan holds it. */
export const resolvedScaleSchema: z.ZodType<Scale> = z.strictObject({
  ...scaleShape,
  model: resolvedModelSchema,
  models: furtherModels(resolvedModelSchema),
  start: resolvedStartSchema.optional(),
  changes: z.array(z.string().min(1).max(200)).min(1).max(20).optional(),
}).superRefine(refuseUnevenBatches).superRefine(refuseOtherWindows);

/** All models of a scale read the same windows of the same tokens. */
function refuseOtherWindows({ model, models = {} }: Scale, context: z.RefinementCtx): void {
  for (const [name, { config }] of Object.entries(models)) {
    for (const member of ["sequenceLength", "vocabularySize"] as const) {
      if (config[member] === model.config[member]) continue;
      context.addIssue({
        code: "custom",
        path: ["models", name, member],
        message: `${model.config[member]} as that of the scale's own model`,
      });
    }
  }
}

function refuseUnevenBatches(scale: Omit<Scale, "model">, context: z.RefinementCtx): void {
  for (const phase of ["pretraining", "continuing"] as const) {
    if (scale[phase].batchSequences % scale.gradientBlockSequences === 0) continue;
    context.addIssue({
      code: "custom",
      path: [phase, "batchSequences"],
      message: `a multiple of gradientBlockSequences (${scale.gradientBlockSequences})`,
    });
  }
}

/** An experiment as its file states it. */
export type Experiment = Readonly<z.output<typeof experimentSchema>>;
