/** The plan as a file: `plan.json` in the output folder, written to be read again by the verifier. */
import { z } from "zod";
import { UserError } from "../errors.ts";
import { canonicalJson, type Json } from "../digest/canonical_json.ts";
import { type Digest, isDigest, sha256 } from "../digest/sha256.ts";
import { SCHEDULE_KINDS } from "../schedule/specification.ts";
import type { Plan } from "./plan.ts";
import type { RunKey } from "./run.ts";
import { runKey } from "./run_key.ts";
import { validate } from "./yaml.ts";

/**
 * The plan as a JSON value.
 *
 * @returns a value that {@linkcode planFromJson} takes back
 */
export function planToJson(plan: Plan): Json {
  return JSON.parse(canonicalJson(plan)) as Json;
}

/**
 * A plan from the JSON value that {@linkcode planToJson} made, its keys and digest computed anew.
 *
 * @param fileName how messages name the file
 * @throws {UserError} `INVALID_FIELD` if the value has another form, `PLAN_DAMAGED` if a key or the digest differs
 */
export function planFromJson(value: unknown, fileName: string): Plan {
  const plan: Plan = validate(planSchema, value, fileName);
  const { planDigest, ...content } = plan;
  for (const run of plan.runs) {
    if (runKey(run.specification) !== run.key) throw damaged(fileName, `key of run "${run.label}"`);
  }
  if (sha256(canonicalJson(content)) !== planDigest) throw damaged(fileName, "planDigest");
  return plan;
}

function damaged(fileName: string, what: string): UserError {
  return new UserError(
    "PLAN_DAMAGED",
    `"${fileName}": ${what} is not the digest of what it stands for`,
    "the file was changed after it was written; restore it or plan again",
  );
}

const digest = z.custom<Digest>((value) => typeof value === "string" && isDigest(value), {
  error: "a SHA-256 digest of 64 hexadecimal characters",
});
const key = z.custom<RunKey>((value) => typeof value === "string" && isDigest(value), {
  error: "a SHA-256 digest of 64 hexadecimal characters",
});
const count = z.int().min(0);
const corpusName = z.enum(["upstream", "downstream"]);

const modelSchema = z.strictObject({
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

const optimizerSchema = z.strictObject({
  beta1: z.number(),
  beta2: z.number(),
  epsilon: z.number(),
  weightDecay: z.number(),
  gradientClip: z.number(),
});

const engineSchema = z.strictObject({
  level: z.enum(["machine_to_machine", "run_to_run", "not_guaranteed"]),
  arithmetic: z.string(),
});

const gridShape = { interval: z.int().min(1), denseInterval: z.int().min(1), denseUntilStep: count };

const specificationSchema = z.strictObject({
  model: modelSchema,
  initialWeights: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("random"), seed: count }),
    z.strictObject({ kind: z.literal("checkpoint"), run: key, step: count }),
  ]),
  corpus: z.strictObject({ name: corpusName, digest }),
  validation: z.strictObject({ upstream: digest, downstream: digest }),
  orderSeed: count,
  schedule: z.strictObject({
    kind: z.enum(SCHEDULE_KINDS),
    totalSteps: count,
    warmupSteps: z.number(),
    maxLearningRate: z.number(),
    minLearningRate: z.number(),
    decayFraction: z.number().exactOptional(),
    cooldownFraction: z.number().exactOptional(),
    cooldown: z.enum(["cosine", "inverse-square-root"]).exactOptional(),
    constantLearningRate: z.number().exactOptional(),
    annealFraction: z.number().exactOptional(),
  }),
  scheduleDigest: digest,
  optimizer: optimizerSchema,
  batchSequences: count,
  gradientBlockSequences: count,
  evaluation: z.strictObject({ windows: count, ...gridShape, landmarks: z.array(count) }),
  checkpointInterval: z.int().min(1),
  engine: engineSchema,
});

const phaseSchema = z.strictObject({
  steps: count,
  batchSequences: count,
  checkpointInterval: z.int().min(1),
  evaluation: z.strictObject(gridShape),
});

const source = z.strictObject({ dataset: z.string() });

const planSchema = z.strictObject({
  scale: z.strictObject({
    name: z.string(),
    summary: z.string(),
    model: z.strictObject({ config: modelSchema, maxLearningRate: z.number() }),
    minLearningRateFraction: z.number(),
    optimizer: optimizerSchema,
    pretraining: phaseSchema,
    continuing: phaseSchema,
    gradientBlockSequences: count,
    evaluationWindows: count,
    data: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("npm"), tokenizer: z.literal("bytes") }),
      z.strictObject({
        kind: z.literal("huggingface"),
        tokenizer: z.literal("gpt-neox-20b"),
        upstream: source,
        downstream: source,
      }),
    ]),
  }),
  seeds: count,
  engine: engineSchema,
  data: z.discriminatedUnion("state", [
    z.strictObject({ state: z.literal("pinned"), upstream: digest, downstream: digest }),
    z.strictObject({ state: z.literal("not fetched"), upstream: z.string(), downstream: z.string() }),
  ]),
  experiments: z.array(z.strictObject({
    name: z.string(),
    section: z.string(),
    title: z.string(),
    figures: z.array(count),
    question: z.string(),
    arms: z.array(z.string()),
  })),
  runs: z.array(z.strictObject({
    key,
    specification: specificationSchema,
    steps: count,
    checkpointSteps: z.array(count),
    label: z.string(),
    usedBy: z.array(z.strictObject({ experiment: z.string(), arm: z.string(), seedIndex: count, steps: count })),
  })),
  totals: z.strictObject({
    steps: count,
    tokens: count,
    evaluationTokens: count,
    flops: z.number(),
    runs: count,
    arms: count,
    sharedTokens: count,
  }),
  planDigest: digest,
});
