/** A comparison for programs. The shape is published in schemas/diff.schema.json; members are added only. */
import { z } from "zod";
import { digestSchema } from "../../digest/digest_schema.ts";
import type { ManifestDiff } from "../../retrain/diff.ts";

const comparedSchema = z.object({ path: z.string(), sha256: digestSchema });

/** What `diff --format json` prints. */
export const diffJsonSchema = z.object({
  manifests: z.object({ a: comparedSchema, b: comparedSchema }),
  differences: z.array(z.object({
    run: z.string(),
    step: z.int(),
    field: z.enum([
      "outcome",
      "record",
      "batch",
      "learning rate",
      "loss",
      "gradient norm",
      "divergence",
      "state",
      "curve",
    ]),
    a: z.string(),
    b: z.string(),
    lastCommonState: z.int().optional(),
  })).meta({ description: "the first difference of every run that differs, in the order of the plan" }),
  runs: z.int().meta({ description: "runs of the plan" }),
  environments: z.array(z.object({ name: z.string(), a: z.string(), b: z.string() })).meta({
    description: "what the makers said of their machines, engines and tools",
  }),
}) satisfies z.ZodType<ManifestDiff, unknown>;

/** The outcome as JSON. */
export function diffJson(diff: ManifestDiff): string {
  return JSON.stringify(diff, null, 2);
}
