/** Shape of an estimate in an experiment's file: an open question has a number with an interval, and no verdict. */
import { z } from "zod";
import { id, preconditionName, sentence } from "../statement_parts.ts";
import { type Measure, MEASURE_KINDS, measureKind } from "./catalogue.ts";

const [first, ...others] = MEASURE_KINDS;

/** What is measured, by its kind. */
const measureSchema: z.ZodType<Measure> = z.discriminatedUnion("kind", [
  measureKind(first).schema,
  ...others.map((kind) => measureKind(kind).schema),
]);

/** An estimate as an experiment's file states it. */
export const estimateSchema = z.strictObject({
  id,
  title: z.string().min(1).max(120),
  measure: measureSchema,
  /** names of preconditions of `experiments/paper.yaml` without which there is nothing to estimate */
  requires: z.array(preconditionName).min(1).max(8).optional(),
  /** what else the reader should know */
  note: sentence.optional(),
});

/** An estimate as an experiment's file states it. */
export type StatedEstimate = z.output<typeof estimateSchema>;
