/**
 * The rules that test claims, as data. Every rule names the runs it reads (`experiment/arm`), the point in the paper's
 * tokens and a margin; what each kind computes is in docs/claims.md and in src/results/rules/kinds/.
 */
import { z } from "zod";
import { type Rule, RULE_KINDS, ruleKind } from "./rules/catalogue.ts";

export type { Rule } from "./rules/catalogue.ts";

const [first, ...others] = RULE_KINDS;

/** Shape of a rule in an experiment's file. */
export const ruleSchema: z.ZodType<Rule> = z.discriminatedUnion("kind", [
  ruleKind(first).schema,
  ...others.map((kind) => ruleKind(kind).schema),
]);

/** Every run that a rule reads, in the order in which it names them. */
export function runsOf(rule: Rule): string[] {
  return ruleKind(rule.kind).runsOf(rule);
}

/** Names of the margins that a rule uses, by the rule's field. */
export function marginsOf(rule: Rule): Readonly<Record<string, string>> {
  return ruleKind(rule.kind).marginsOf(rule);
}
