/** Shape of a figure in an experiment's file: what is drawn, against what, and of which arms. */
import { z } from "zod";
import { ruleParts } from "./rules/parts.ts";
import { id, sentence } from "./statement_parts.ts";

/** Losses that another study printed, of runs from one start that differ in their share of replay. */
const publishedSchema = z.strictObject({
  /** where they are from: `arXiv 2403.08763` */
  source: z.string().min(1).max(200),
  /** size and shift there, in a few words */
  label: z.string().min(1).max(60),
  /** the mix whose shift is of the kind there; absent: the scale's own downstream corpus */
  mix: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/).max(60).optional(),
  /** upstream loss of the model that training goes on from, nats a token */
  upstreamBefore: z.number().positive(),
  points: z.array(z.strictObject({
    /** percent of the windows */
    replay: z.number().min(0).lt(100),
    upstream: z.number().positive(),
    downstream: z.number().positive(),
  })).min(2).max(16).refine((points) => points.some(({ replay }) => replay === 0), "losses without replay among them"),
});

const replayPlot = {
  /** where on the runs losses are read, in the paper's tokens */
  at: ruleParts.tokens,
  published: z.array(publishedSchema).max(8).default([]),
};

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
    /** forgetting against adaptation: a panel a shift and size, a line a share of replay, maximum learning rates along it */
    z.strictObject({ kind: z.literal("trade-off"), ...replayPlot }),
    /** share of forgetting that replay removes, by its dose */
    z.strictObject({ kind: z.literal("dose-response"), ...replayPlot }),
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

/** Losses that another study printed. */
export type PublishedLosses = z.output<typeof publishedSchema>;
