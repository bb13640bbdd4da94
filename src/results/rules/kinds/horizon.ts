/** A precondition: continued training is long enough against pre-training. A fact of the plan; no curve is read. */
import { z } from "zod";
import { decimal } from "../../contrast.ts";
import { ruleParts } from "../parts.ts";
import type { RuleKind } from "../rule_kind.ts";

const { margin } = ruleParts;

const schema = z.strictObject({ kind: z.literal("horizon"), margin });

/** A horizon of continued training as a share of pre-training. */
export type Horizon = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const horizon: RuleKind<Horizon> = {
  schema,
  comparisons: "tokens of the whole downstream schedule ÷ tokens of pre-training",
  wanted: "_m_ or more",
  nullModel: "none: a fact of the plan",
  shows: "number",
  runsOf: () => [],
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: () => 1,
  describe: ({ margin }, { value }) =>
    `the downstream schedule has ${decimal(value(margin), 2)} or more times the tokens of pre-training`,
  assess(rule, { totalDownstreamSteps, tokensPerStep, pretrainingTokens, marginValue }) {
    const ratio = totalDownstreamSteps * tokensPerStep / pretrainingTokens;
    const summary = `continuing ÷ pre-training ${decimal(ratio, 2)}`;
    return {
      contrasts: [{
        label: "continuing ÷ pre-training",
        unit: "ratio",
        values: [ratio],
        expectation: { kind: "at-least", value: marginValue(rule.margin) },
      }],
      evidence: [],
      finding: `By tokens, ${summary}`,
      summary,
    };
  },
};
