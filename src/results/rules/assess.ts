/** Applies a rule of any kind to curves. */
import type { Assessment, RuleContext } from "./assessment.ts";
import { type Rule, ruleKind } from "./catalogue.ts";

/**
 * Applies a rule.
 *
 * @throws {CannotRead} if an arm is missing, diverged, or has no evaluation where the rule reads
 */
export function assess(rule: Rule, context: RuleContext): Assessment {
  return ruleKind(rule.kind).assess(rule, context);
}
