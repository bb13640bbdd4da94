/** A precondition: the model that is continued has learned something, against one that guesses. */
import { z } from "zod";
import { log } from "../../../arithmetic/elementary.ts";
import { armName, groupBySeed, shortName } from "../../arm_curves.ts";
import { lossInWords, LossReader, seedsInWords } from "../assessment.ts";
import { startLoss } from "../own_start.ts";
import { ruleParts } from "../parts.ts";
import type { RuleKind } from "../rule_kind.ts";
import { listRuns } from "../words.ts";

const { runs, metric, margin } = ruleParts;

/** All of `runs` start from one model; the first that was run is read. */
const schema = z.strictObject({ kind: z.literal("learned"), runs, metric, margin });

/** A model that has learned. */
export type Learned = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const learned: RuleKind<Learned> = {
  schema,
  comparisons:
    "of the first of the runs that was trained: (ln V − L at step 0) / ln V, where V is the size of the vocabulary",
  wanted: "_m_ or more",
  nullModel: "a model that guesses: ln V nats a token",
  shows: "number",
  runsOf: ({ runs }) => [...runs],
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: () => 1,
  describe: ({ metric, runs, margin }, { share }) =>
    `${metric} loss at the start of ${listRuns(runs, "or")} is ${share(margin)} or more below that of guessing`,
  assess(rule, context) {
    const reader = new LossReader();
    const guessing = log(context.vocabularySize);
    const run = rule.runs.find((name) => context.arms.some((arm) => armName(arm) === name)) ?? rule.runs[0] ?? "";
    const starts = groupBySeed([run], context.arms)
      .flatMap(({ arms }) => arms.map((arm) => startLoss(arm, rule.metric, reader)));
    const summary = `${shortName(run)} starts at ${lossInWords(starts)}, guessing gives ${lossInWords([guessing])}`;
    return {
      contrasts: [{
        label: "start below guessing",
        unit: "share",
        values: starts.map((start) => (guessing - start) / guessing),
        expectation: { kind: "at-least", value: context.marginValue(rule.margin) },
      }],
      evidence: reader.evidence,
      finding: `By ${rule.metric} loss, ${summary}${seedsInWords(starts.length)}`,
      summary,
    };
  },
};
