/** Every run is lower than the reference. */
import { z } from "zod";
import { againstShape, assessAgainst, describeAgainst, runsAgainst } from "../against.ts";
import { directional } from "../expectations.ts";
import type { RuleKind } from "../rule_kind.ts";

const schema = z.strictObject({ kind: z.literal("below"), ...againstShape });

/** Runs below a reference. */
export type Below = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const below: RuleKind<Below> = {
  schema,
  comparisons: "for each run: (L_reference − L_run) / L_reference",
  wanted: "beyond _m_",
  nullModel: "the reference: no difference",
  shows: "direction",
  runsOf: runsAgainst,
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: ({ runs }) => runs.length,
  describe: (rule, { share }) => `${describeAgainst(rule, "below")} by ${share(rule.margin)} or more`,
  assess: (rule, context) => assessAgainst(rule, context, "below", -1, directional(context.marginValue(rule.margin))),
};
