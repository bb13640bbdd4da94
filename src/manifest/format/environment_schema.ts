/** What may stand for a machine and a process in a statement. */
import { z } from "zod";
import { recordSchema } from "../../digest/record_schema.ts";
import { textSchema } from "../../experiment/run/run_schema.ts";
import type { Environment } from "./predicate.ts";

/** Names with values in words or decimal numbers. */
export const factsSchema = recordSchema(z.string().min(1).max(200), z.string().max(4000));

/** The machine and the process, as they call themselves. */
export const environmentSchema = z.strictObject({
  deno: textSchema,
  v8: textSchema,
  typescript: textSchema,
  os: textSchema,
  architecture: textSchema,
  cpu: textSchema,
  threads: z.int().min(0),
  gpu: textSchema,
  permissions: z.array(textSchema).max(1000),
  libraries: factsSchema,
}) satisfies z.ZodType<Environment>;
