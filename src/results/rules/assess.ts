/** Applies a rule of any kind to curves. */
import type { Rule } from "../rule_schema.ts";
import type { Assessment, RuleContext } from "./assessment.ts";
import { assessAgainst, assessOrdered, assessSpread } from "./comparisons.ts";
import { assessLine, assessPeak } from "./levels.ts";
import { assessLowestUntil, assessOvertaking } from "./races.ts";
import { assessFall, assessNoRecovery, assessRise, assessSpike } from "./trajectories.ts";

/**
 * Applies a rule.
 *
 * @throws {CannotRead} if an arm is missing, diverged, or has no evaluation where the rule reads
 */
export function assess(rule: Rule, context: RuleContext): Assessment {
  switch (rule.kind) {
    case "ordered":
      return assessOrdered(rule, context);
    case "spread-within":
      return assessSpread(rule, context);
    case "below":
    case "above":
    case "not-below":
      return assessAgainst(rule, context);
    case "lowest-until":
      return assessLowestUntil(rule, context);
    case "overtakes":
      return assessOvertaking(rule, context);
    case "rises-after-rewarming":
      return assessRise(rule, context);
    case "spikes":
      return assessSpike(rule, context);
    case "does-not-recover":
      return assessNoRecovery(rule, context);
    case "falls":
      return assessFall(rule, context);
    case "linear":
      return assessLine(rule, context);
    case "peak-about":
      return assessPeak(rule, context);
  }
}
