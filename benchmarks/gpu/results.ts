/** What a run on a GPU leaves: one JSON file, part by part, with everything needed to judge its numbers. */
import { z } from "zod";

/** Changes with the schema. */
export const RESULTS_FORMAT = "rewarm GPU results v1";

/** What a part is for. */
export const STAGES = ["environment", "correctness", "sanitizer", "speed", "profile"] as const;
export type Stage = (typeof STAGES)[number];

const facts = z.record(z.string(), z.string());
const count = z.number().int().nonnegative();
/** null: not a finite number */
const measured = z.number().nullable();

/** Something that had to come out in one way. */
const check = z.strictObject({
  name: z.string(),
  passed: z.boolean(),
  found: z.string(),
  expected: z.string(),
});

/** One output of one operation beside a reference in higher precision. */
const deviation = z.strictObject({
  operation: z.string(),
  shape: z.string(),
  precision: z.enum(["f32", "bf16", "fp16"]),
  output: z.string(),
  /** ‖output − reference‖ / ‖reference‖ */
  relative: measured,
  /** largest |output − reference| over the largest |reference| */
  largest: measured,
  /** of `relative` */
  bound: z.number(),
  passed: z.boolean(),
});

/** A trainer that took its turns with others on one task. */
const speed = z.strictObject({
  trainer: z.string(),
  /** versions and choices */
  facts,
  /** which units do most of its arithmetic: those for f32, or tensor cores with 16-bit factors */
  unit: z.enum(["f32", "half"]),
  microBatchSequences: count,
  /** of every round */
  tokensPerSecond: z.array(z.number()).min(1),
  /** on the device: rewarm's plan, PyTorch's peak of allocations */
  memoryBytes: count,
  /** of the first and of the last step that all took, nats a token */
  firstLoss: measured,
  lastLoss: measured,
});

/** Shape of a model, as MFU needs it; the fields of src/model/config.ts. */
const model = z.strictObject({
  hiddenSize: count,
  layers: count,
  heads: count,
  intermediateSize: count,
  vocabularySize: count,
  sequenceLength: count,
  rotaryFraction: z.number(),
  rotaryBase: z.number(),
  layerNormEpsilon: z.number(),
});

/** One kernel, or a matmul of one shape, over a step. */
const kernel = z.strictObject({
  kernel: z.string(),
  shape: z.string().optional(),
  unit: z.enum(["f32", "half"]),
  launches: count,
  flops: z.number(),
  bytes: z.number(),
  predictedMilliseconds: z.number(),
  milliseconds: z.number(),
});

const finding = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("facts"), facts }),
  z.strictObject({ kind: z.literal("checks"), checks: z.array(check), facts: facts.optional() }),
  z.strictObject({ kind: z.literal("deviations"), deviations: z.array(deviation) }),
  z.strictObject({
    kind: z.literal("peaks"),
    /** FLOP/s of plain square matmuls, and bytes a second of a copy, read and written: medians */
    bf16: measured,
    fp16: measured,
    f32: measured,
    copy: measured,
    facts,
  }),
  z.strictObject({
    kind: z.literal("speed"),
    name: z.string(),
    model,
    batchSequences: count,
    speeds: z.array(speed),
    /** trainers that could not take part */
    absent: z.array(z.strictObject({ trainer: z.string(), reason: z.string() })),
    /** largest relative difference of a loss from the first trainer's */
    lossDifference: measured,
  }),
  z.strictObject({
    kind: z.literal("profile"),
    name: z.string(),
    engine: z.string(),
    mode: z.enum(["ordered", "mixed"]),
    model,
    batchSequences: count,
    microBatchSequences: count,
    /** median of a step without stopwatches, wall clock; 0 on paper */
    stepMilliseconds: z.number(),
    /** the device that predictions are for */
    predictedFor: z.string(),
    kernels: z.array(kernel),
  }),
]);

const part = z.strictObject({
  part: z.string(),
  stage: z.enum(STAGES),
  /** `failed`: a check did; `broken`: it did not come to its end; `skipped`: this machine lacks something, or time ran out */
  status: z.enum(["passed", "failed", "broken", "skipped"]),
  startedAt: z.iso.datetime(),
  seconds: z.number(),
  /** why it was skipped, or what it said when it broke */
  detail: z.string().optional(),
  finding: finding.optional(),
});

/** See {@linkcode RESULTS_FORMAT}. */
export const resultsSchema = z.strictObject({
  format: z.literal(RESULTS_FORMAT),
  /** true: tiny shapes on the CPU stand-in; says nothing about a GPU */
  rehearsal: z.boolean(),
  /** as the driver gives it */
  device: z.string(),
  commit: z.string(),
  /** whether files differed from the commit */
  modified: z.boolean(),
  parts: z.array(part),
});

export type Finding = z.infer<typeof finding>;
export type PartResult = z.infer<typeof part>;
export type Results = z.infer<typeof resultsSchema>;
export type Check = z.infer<typeof check>;
export type Deviation = z.infer<typeof deviation>;
export type Speed = z.infer<typeof speed>;
/** A finding of one kind. */
export type FindingOf<Kind extends Finding["kind"]> = Extract<Finding, { kind: Kind }>;

/** A number as the file can hold it. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** Losses of 16-bit trainers further apart than this, relatively, are not those of the same training. */
export const LOSS_TOLERANCE = 0.01;

/** Whether everything in a finding came out as it must. */
export function hasPassed(found: Finding): boolean {
  switch (found.kind) {
    case "checks":
      return found.checks.length > 0 && found.checks.every(({ passed }) => passed);
    case "deviations":
      return found.deviations.length > 0 && found.deviations.every(({ passed }) => passed);
    case "speed":
      return found.speeds.length < 2 || (found.lossDifference !== null && found.lossDifference <= LOSS_TOLERANCE);
    default:
      return true;
  }
}

/** The results with a part's, in the place of an earlier one of the same name. */
export function withPart(results: Results, result: PartResult): Results {
  return { ...results, parts: [...results.parts.filter(({ part }) => part !== result.part), result] };
}

/**
 * Results of several calls on one machine as one; of a part that was done twice the later counts.
 *
 * @throws {Error} if they are of different devices, commits or kinds
 */
export function mergeResults(all: readonly Results[]): Results {
  const [first] = all;
  if (first === undefined) throw new Error("There are no results to merge");
  for (const other of all) {
    for (const key of ["device", "commit", "modified", "rehearsal"] as const) {
      if (other[key] !== first[key]) {
        throw new Error(`Results of ${key} "${first[key]}" and of "${other[key]}" cannot be merged`);
      }
    }
  }
  const parts = all.flatMap((results) => results.parts).toSorted((a, b) => a.startedAt < b.startedAt ? -1 : 1);
  return parts.reduce(withPart, { ...first, parts: [] });
}

/** @throws {Error} if the file holds no results, with what is wrong where */
export async function readResults(path: string): Promise<Results> {
  const parsed = resultsSchema.safeParse(JSON.parse(await Deno.readTextFile(path)));
  if (!parsed.success) throw new Error(`"${path}" holds no results of this version:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** Writes a new file in the place of the old one. */
export async function writeResults(path: string, results: Results): Promise<void> {
  const temporary = `${path}.new`;
  await Deno.writeTextFile(temporary, `${JSON.stringify(resultsSchema.parse(results), null, 2)}\n`);
  await Deno.rename(temporary, path);
}
