/** Shape of a claim in an experiment's file. */
import { z } from "zod";
import { ruleSchema } from "./rule_schema.ts";
import { comparableAt, confidence, id, preconditionName, section, sentence } from "./statement_parts.ts";

/** A claim with the rule that tests it. */
export const claimSchema = z.strictObject({
  id,
  title: z.string().min(1).max(80),
  statement: sentence,
  section,
  figure: z.string().max(20),
  confidence,
  comparable: comparableAt,
  rule: ruleSchema,
  /** names of preconditions of `experiments/paper.yaml` without which the claim is not comparable */
  requires: z.array(preconditionName).min(1).max(8).optional(),
  /** where the claim is from, if not from the paper: `arXiv 2403.08763, table 3`; section and figure are then its own */
  source: z.string().min(1).max(200).optional(),
  /** how the paper's words were read, where they leave a choice */
  note: sentence.optional(),
});

/** A claim of the paper with the rule that tests it. */
export type Claim = z.output<typeof claimSchema>;
