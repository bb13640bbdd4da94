/** Shape of a claim in an experiment's file. */
import { z } from "zod";
import { ruleSchema } from "./rule_schema.ts";
import { comparableAt, confidence, id, section, sentence } from "./statement_parts.ts";

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
  /** how the paper's words were read, where they leave a choice */
  note: sentence.exactOptional(),
});

/** A claim of the paper with the rule that tests it. */
export type Claim = z.output<typeof claimSchema>;
