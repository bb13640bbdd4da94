/** `run.json`: what a run that is done says of itself and of the files beside it. Web-standard APIs only. */
import { z } from "zod";
import { digestSchema } from "../../digest/digest_schema.ts";
import type { Digest } from "../../digest/sha256.ts";
import type { RunKey } from "../../experiment/run/run.ts";
import { type ConditionPeriod, conditionPeriodsSchema } from "../conditions.ts";

/** A state that the journal records. */
export interface RecordedState {
  /** optimizer steps done */
  readonly step: number;
  /** of weights and both moments */
  readonly state: Digest;
}

/** How a run ended. */
export type Outcome =
  | { readonly kind: "completed" }
  | { readonly kind: "diverged"; readonly step: number; readonly value: string };

/** `run.json`: written last, so that its presence means the run is done to `steps`. */
export interface RunRecord {
  /** form of the file */
  readonly format: "rewarm run v1";
  /** of the run that the folder holds */
  readonly key: RunKey;
  /** the folder's name */
  readonly label: string;
  /** optimizer steps done */
  readonly steps: number;
  /** `diverged` at the step whose loss or gradient norm was no finite number */
  readonly outcome: Outcome;
  /** last digest of the journal's chain */
  readonly journalRoot: Digest;
  /** ascending by step */
  readonly states: readonly RecordedState[];
  /** where the engine's bits depend on more than the run's key */
  readonly conditions?: readonly ConditionPeriod[];
  /** SHA-256 of the files beside it, by name */
  readonly files: {
    /** `journal.jsonl` */
    readonly journal: Digest;
    /** `curves.json` */
    readonly curves: Digest;
    /** by the checkpoints' names */
    readonly checkpoints: Readonly<Record<string, Digest>>;
  };
}

/** What may stand in `run.json`. */
export const runRecordSchema: z.ZodType<RunRecord> = z.strictObject({
  format: z.literal("rewarm run v1"),
  key: digestSchema as z.ZodType<RunKey>,
  label: z.string(),
  steps: z.int().min(0),
  outcome: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("completed") }),
    z.strictObject({ kind: z.literal("diverged"), step: z.int().min(0), value: z.string() }),
  ]),
  journalRoot: digestSchema,
  states: z.array(z.strictObject({ step: z.int().min(0), state: digestSchema })),
  conditions: conditionPeriodsSchema.optional(),
  files: z.strictObject({
    journal: digestSchema,
    curves: digestSchema,
    checkpoints: z.record(z.string().regex(/^step-\d{6,}\.safetensors$/), digestSchema),
  }),
});
