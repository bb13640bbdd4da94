/** No run is lower than the reference by more than the margin. */
import { z } from "zod";
import { againstShape, assessAgainst, describeAgainst, runsAgainst } from "../against.ts";
import type { RuleKind } from "../rule_kind.ts";

const schema = z.strictObject({ kind: z.literal("not-below"), ...againstShape });

/** Runs that are not below a reference. */
export type NotBelow = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const notBelow: RuleKind<NotBelow> = {
  schema,
  comparisons: "the same as `above`",
  wanted: "not below _−m_",
  nullModel: "a deficit of _m_ (non-inferiority)",
  shows: "direction",
  runsOf: runsAgainst,
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: ({ runs }) => runs.length,
  describe: (rule, { share }) => `${describeAgainst(rule, "not below")} by more than ${share(rule.margin)}`,
  assess(rule, context) {
    const margin = context.marginValue(rule.margin);
    return assessAgainst(rule, context, "not below", 1, { kind: "not-below", margin });
  },
};
