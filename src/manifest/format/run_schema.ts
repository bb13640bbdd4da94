/** What may stand for a run in the predicate. */
import { z } from "zod";
import { digestSchema } from "../../digest/digest_schema.ts";
import { plannedRunShape, textSchema } from "../../experiment/run/run_schema.ts";
import { conditionPeriodsSchema } from "../../train/conditions.ts";
import type { WrittenFormat } from "../../train/journal/journal_header.ts";
import { MAX_PERIODS } from "../../train/folder/trained_by.ts";
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

/** Formats of journals that version 2 of the predicate names. */
const JOURNAL_FORMATS = ["rewarm journal v2", "rewarm journal v3"] as const satisfies readonly WrittenFormat[];

const journalShape = { ...artefactSchema.shape, root: digestSchema, steps: stepSchema };
const journalMeta = { description: "The journal; root is the chain digest of its last record, steps those recorded" };

const evidence = {
  journal: z.strictObject(journalShape).meta(journalMeta),
  states: z.array(
    z.strictObject({ step: stepSchema, state: digestSchema, checkpoint: artefactSchema.optional() }),
  )
    .max(200_000)
    .meta({ description: "State digests in the journal, ascending; checkpoint where the state is an artefact" }),
  merkleTree: z.strictObject({ treeSize: z.int().min(1), rootHash: digestSchema })
    .meta({ description: "Merkle tree (RFC 9162) over the lines of the journal and the checkpoints" }),
  conditions: conditionPeriodsSchema.optional()
    .meta({ description: "Device, driver and libraries from a step on, where bits depend on them" }),
  curves: artefactSchema,
};

/** What version 2 of the predicate says besides. */
const evidenceOfVersion2 = {
  ...evidence,
  journal: z.strictObject({ ...journalShape, format: z.enum(JOURNAL_FORMATS) }).meta(journalMeta),
  origin: z.enum(["trained", "resumed", "found"])
    .meta({ description: "What the process that signed did for the run" }),
  trainedBy: z.array(z.strictObject({
    fromStep: stepSchema,
    machine: z.int().min(1).max(100_000),
    os: textSchema,
    architecture: textSchema,
    cpu: textSchema,
    gpu: textSchema,
    deno: textSchema,
    engine: textSchema,
    job: textSchema.optional(),
  })).min(1).max(MAX_PERIODS).optional()
    .meta({ description: "Which machines trained it, from a step on" }),
  retrained: z.array(z.strictObject({ fromStep: stepSchema, toStep: stepSchema })).min(1).max(1000).optional()
    .meta({ description: "Pieces that were retrained before signing, and gave the recorded bits" }),
};

const trained = { ...plannedRunShape, outcome: z.enum(["completed", "diverged"]) };
const skipped = z.strictObject({ ...plannedRunShape, outcome: z.literal("skipped"), reason: textSchema });
const runMeta = { id: "Run", description: "A planned run, and what it left if it was trained" };

/** A run with what it left, by the version of the predicate. */
export const RUN_SCHEMAS = {
  v1: z.discriminatedUnion("outcome", [z.strictObject({ ...trained, ...evidence }), skipped]).meta({
    ...runMeta,
    id: "RunV1",
  }),
  v2: z.discriminatedUnion("outcome", [z.strictObject({ ...trained, ...evidenceOfVersion2 }), skipped]).meta(runMeta),
} satisfies Record<string, z.ZodType<ManifestRun>>;
