/** The plan as a file: `plan.json` in the output folder, written to be read again by the verifier. */
import { z } from "zod";
import { UserError } from "../../errors.ts";
import { canonicalJson, type Json } from "../../digest/canonical_json.ts";
import { digestSchema } from "../../digest/digest_schema.ts";
import { sha256 } from "../../digest/sha256.ts";
import type { Plan } from "./plan.ts";
import { READINGS, type Readings } from "../readings.ts";
import { runKey } from "../run/run_key.ts";
import { engineSchema, MAX_RUNS, MAX_SEEDS, plannedRunShape, textSchema } from "../run/run_schema.ts";
import { resolvedScaleSchema } from "../schema.ts";
import type { ImportedCheckpoint } from "../arm/start.ts";
import { validate } from "../../text/yaml.ts";

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
  const plan = validate(planSchema, value, fileName);
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

const count = z.int().min(0);

/** Models of others that runs start from, in a plan or a manifest. */
export const importedCheckpointsSchema: z.ZodType<readonly ImportedCheckpoint[]> = z.array(
  z.strictObject({ step: count, weights: digestSchema, origin: textSchema }).meta({
    id: "ImportedCheckpoint",
    description: "A model that somebody else trained, after some steps, by the digest of its weights",
  }),
).min(1).max(1000);

const startSchema = z.discriminatedUnion("state", [
  z.strictObject({ state: z.literal("pinned"), checkpoints: importedCheckpointsSchema }),
  z.strictObject({ state: z.literal("not fetched"), origin: textSchema }),
]);

/** How open points are read, in a plan or a manifest. */
export const readingsSchema: z.ZodType<Readings> = z.strictObject({
  "pile": z.enum(READINGS["pile"]).optional(),
  "domains": z.enum(READINGS["domains"]).optional(),
  "optimizer-state": z.enum(READINGS["optimizer-state"]).optional(),
  "same-data-horizon": z.enum(READINGS["same-data-horizon"]).optional(),
}).meta({ id: "Readings", description: "How the paper's open points are read" });

const planSchema: z.ZodType<Plan> = z.strictObject({
  scale: resolvedScaleSchema,
  seeds: count.max(MAX_SEEDS),
  engine: engineSchema,
  data: z.discriminatedUnion("state", [
    z.strictObject({
      state: z.literal("pinned"),
      upstream: digestSchema,
      downstream: digestSchema,
      mixes: z.record(z.string(), digestSchema).optional(),
    }),
    z.strictObject({
      state: z.literal("not fetched"),
      upstream: z.string(),
      downstream: z.string(),
      mixes: z.record(z.string(), z.string()).optional(),
    }),
  ]),
  start: startSchema.optional(),
  readings: readingsSchema.optional(),
  experiments: z.array(z.strictObject({
    name: z.string(),
    section: z.string(),
    title: z.string(),
    figures: z.array(count).max(1000),
    question: z.string(),
    arms: z.array(z.string()).max(10_000),
  })).max(1000),
  runs: z.array(z.strictObject(plannedRunShape)).max(MAX_RUNS),
  totals: z.strictObject({
    steps: count,
    tokens: count,
    evaluationTokens: count,
    flops: z.number(),
    runs: count,
    arms: count,
    sharedTokens: count,
  }),
  planDigest: digestSchema,
});
