/** A rule in words, for people who read verdicts. */
import { decimal } from "../contrast.ts";
import type { Paper } from "../paper_schema.ts";
import { type Rule, ruleKind } from "./catalogue.ts";

/** The rule as one sentence without its final stop. */
export function describeRule(rule: Rule, margins: Paper["margins"]): string {
  const value = (name: string) => margins[name]?.value ?? NaN;
  const share = (name: string) => `${decimal(100 * value(name), 2).replace(/\.?0+$/, "")} %`;
  return ruleKind(rule.kind).describe(rule, { value, share });
}
