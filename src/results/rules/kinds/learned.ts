/** A precondition: the model that is continued has learned something, against one that guesses. */
import { z } from "zod";
import { log } from "../../../arithmetic/elementary.ts";
import { groupBySeed, shortName } from "../../arm_curves.ts";
import type { Contrast } from "../../contrast.ts";
import { lossInWords, LossReader, seedsInWords } from "../assessment.ts";
import { startLoss } from "../own_start.ts";
import { ruleParts } from "../parts.ts";
import type { RuleKind } from "../rule_kind.ts";
import { listRuns } from "../words.ts";

const { runs, metric, margin } = ruleParts;

const schema = z.strictObject({ kind: z.literal("learned"), runs, metric, margin });

/** Runs that start from a model that has learned. */
export type Learned = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const learned: RuleKind<Learned> = {
  schema,
  comparisons: "for each run: (ln V − L at step 0) / ln V, where V is the size of the vocabulary",
  wanted: "_m_ or more",
  nullModel: "a model that guesses: ln V nats a token",
  shows: "number",
  runsOf: ({ runs }) => [...runs],
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: ({ runs }) => runs.length,
  describe: ({ metric, runs, margin }, { share }) =>
    `${metric} loss at the start of ${listRuns(runs)} is ${share(margin)} or more below that of guessing`,
  assess(rule, context) {
    const reader = new LossReader();
    const guessing = log(context.vocabularySize);
    const parts = rule.runs.map((name) => {
      const starts = groupBySeed([name], context.arms)
        .flatMap(({ arms }) => arms.map((arm) => startLoss(arm, rule.metric, reader)));
      const contrast: Contrast = {
        label: `start of ${shortName(name)} below guessing`,
        unit: "share",
        values: starts.map((start) => (guessing - start) / guessing),
        expectation: { kind: "at-least", value: context.marginValue(rule.margin) },
      };
      return { contrast, words: `${shortName(name)} ${lossInWords(starts)}`, seeds: starts.length };
    });
    const summary = parts.map(({ words }) => words).join(", ");
    return {
      contrasts: parts.map(({ contrast }) => contrast),
      evidence: reader.evidence,
      finding: `At the start the ${rule.metric} loss is ${summary}, and that of guessing ${lossInWords([guessing])}` +
        seedsInWords(parts[0]?.seeds ?? 1),
      summary,
    };
  },
};
