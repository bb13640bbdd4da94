/** Shape of a figure in an experiment's file: what is drawn, against what, and of which arms. */
import { z } from "zod";
import { ruleParts } from "./rules/parts.ts";
import { id, sentence } from "./statement_parts.ts";

/** A figure of the report: the paper's, remade, or one of ours. */
export const figureSchema = z.strictObject({
  /** anchor on the page */
  id,
  /** number in the paper; absent for a figure of ours */
  paperFigure: z.int().min(1).max(99).optional(),
  title: z.string().min(1).max(120),
  plots: z.discriminatedUnion("kind", [
    /** a validation loss over tokens */
    z.strictObject({ kind: z.literal("loss"), metric: ruleParts.metric }),
    /** upstream against downstream perplexity */
    z.strictObject({ kind: z.literal("perplexity") }),
    /** learning rates over tokens */
    z.strictObject({ kind: z.literal("schedule") }),
  ]),
  /** further experiments whose arms it shows */
  with: z.array(z.string().regex(/^[a-z0-9][a-z0-9.-]*$/).max(60)).max(8).default([]),
  /** what T is: tokens of the downstream schedule, or of the runs themselves */
  horizon: z.enum(["downstream", "run"]).default("downstream"),
  /** what else the reader should know */
  note: sentence.optional(),
});

/** A figure as an experiment's file states it. */
export type Figure = z.output<typeof figureSchema>;
