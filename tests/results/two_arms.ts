/** Two arms of one experiment, "a" and "b", and rules that set one against the other. */
import type { ArmCurves } from "../../src/results/arm_curves.ts";
import type { Rule } from "../../src/results/rule_schema.ts";
import { arm } from "./rehearsal.ts";

/** Downstream losses of arms "a" and "b" at step 247 (50B tokens), one pair a seed. */
export function pairs(losses: readonly (readonly [number, number])[]): ArmCurves[] {
  return losses.flatMap(([a, b], seedIndex) => [
    arm("x/a", [0, 247], [[1, 2], [1, a]], { seedIndex }),
    arm("x/b", [0, 247], [[1, 2], [1, b]], { seedIndex }),
  ]);
}

/** Arm "a" has the lower downstream loss at 50B tokens. */
export const A_BELOW_B: Extract<Rule, { readonly kind: "below" }> = {
  kind: "below",
  runs: ["x/a"],
  reference: "x/b",
  metric: "downstream",
  at: 50e9,
  margin: "difference",
};

/** Both arms have the same downstream loss at 50B tokens. */
export const A_LIKE_B: Extract<Rule, { readonly kind: "spread-within" }> = {
  kind: "spread-within",
  runs: ["x/a", "x/b"],
  metric: "downstream",
  at: 50e9,
  margin: "equivalence",
};
