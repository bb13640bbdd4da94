/** What may stand for a run in the predicate. */
import { z } from "zod";
import { digestSchema } from "../digest/digest_schema.ts";
import { plannedRunShape, textSchema } from "../experiment/run_schema.ts";
import { conditionPeriodsSchema } from "../train/conditions.ts";
import type { ManifestRun } from "./run.ts";

/** A name relative to the manifest's folder. */
export const artefactNameSchema = z.string().min(1).max(1024).meta({
  id: "Name",
  description: "Relative path, parts separated by /",
});

/** An artefact: the same name and digest as one of the statement's subjects. */
export const artefactSchema = z.strictObject({ name: artefactNameSchema, sha256: digestSchema }).meta({
  id: "Artefact",
  description: "Name and digest of one of the statement's subjects",
});

const stepSchema = z.int().min(0);

const evidence = {
  journal: z.strictObject({ ...artefactSchema.shape, root: digestSchema, steps: stepSchema })
    .meta({ description: "The journal; root is the chain digest of its last record, steps those recorded" }),
  states: z.array(
    z.strictObject({ step: stepSchema, state: digestSchema, checkpoint: artefactSchema.exactOptional() }),
  )
    .max(200_000)
    .meta({ description: "State digests in the journal, ascending; checkpoint where the state is an artefact" }),
  merkleTree: z.strictObject({ treeSize: z.int().min(1), rootHash: digestSchema })
    .meta({ description: "Merkle tree (RFC 9162) over the lines of the journal and the checkpoints" }),
  conditions: conditionPeriodsSchema.exactOptional()
    .meta({ description: "Device, driver and libraries from a step on, where bits depend on them" }),
  curves: artefactSchema,
};

/** A run with what it left. */
export const runSchema = z.discriminatedUnion("outcome", [
  z.strictObject({ ...plannedRunShape, outcome: z.enum(["completed", "diverged"]), ...evidence }),
  z.strictObject({ ...plannedRunShape, outcome: z.literal("skipped"), reason: textSchema }),
]).meta({ id: "Run", description: "A planned run, and what it left if it was trained" }) satisfies z.ZodType<
  ManifestRun
>;
