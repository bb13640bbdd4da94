/** What rules are made of: the runs that they read, the loss, the point in the paper's tokens, and a margin's name. */
import { z } from "zod";
import { PAPER_DOWNSTREAM_TOKENS } from "../../experiment/scale/paper_units.ts";
import { armReference } from "../arm_reference.ts";

const metric = z.enum(["upstream", "downstream"]);
const tokens = z.number().positive().max(PAPER_DOWNSTREAM_TOKENS);
const point = z.union([tokens, z.literal("end")]);

/** Upstream or downstream validation loss. */
export type Metric = z.output<typeof metric>;

/** A point of a run in the paper's tokens; `end` is the last step that all arms of the rule have. */
export type PaperPoint = z.output<typeof point>;

/** Fields of rules, and of the numbers of `experiments/paper.yaml`. */
export const ruleParts = {
  /** `experiment/arm` */
  run: armReference,
  runs: z.array(armReference).min(1).max(16),
  severalRuns: z.array(armReference).min(2).max(16),
  /** validation loss */
  metric,
  /** of the paper's continued training; a scale's steps keep the fraction */
  tokens,
  point,
  /** name of an entry of `margins` */
  margin: z.string().regex(/^[a-zA-Z]{1,40}$/),
} as const;
