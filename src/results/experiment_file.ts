/** An experiment's file as a whole: what is trained, drawn, claimed and estimated. */
import { z } from "zod";
import { type Experiment, experimentSchema } from "../experiment/schema.ts";
import { claimSchema } from "./claim_schema.ts";
import { estimateSchema } from "./estimates/estimate_schema.ts";
import { figureSchema } from "./figure_schema.ts";

/** Shape of a file in `experiments/`. */
export const experimentFileSchema = experimentSchema.safeExtend({
  figures: z.array(figureSchema).max(32).default([]),
  claims: z.array(claimSchema).max(64).default([]),
  estimates: z.array(estimateSchema).max(64).default([]),
});

/** An experiment with its figures and claims. */
export type StatedExperiment = z.output<typeof experimentFileSchema>;

/** Where an experiment's question comes from: a section of the paper, or another source. */
export function placeOf({ section, source }: Pick<Experiment, "section" | "source">): string {
  return section === undefined ? source ?? "" : `section ${section}`;
}
