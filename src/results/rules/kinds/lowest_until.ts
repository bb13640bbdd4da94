/** One run is the lowest of all from the start until a point. */
import { z } from "zod";
import { commonStepsWithin, formatPaperTokens, groupBySeed, paperTokensOf, shortName } from "../../arm_curves.ts";
import { LossReader, stepInWords, unread } from "../assessment.ts";
import { present } from "../expectations.ts";
import { ruleParts } from "../parts.ts";
import type { RuleKind } from "../rule_kind.ts";
import { listRuns } from "../words.ts";

const { run, runs, metric, tokens, margin } = ruleParts;

const schema = z.strictObject({
  kind: z.literal("lowest-until"),
  run,
  others: runs,
  metric,
  until: tokens,
  margin,
});

/** A run that leads until a point. */
export type LowestUntil = z.output<typeof schema>;

/** Its fields, words and comparisons. */
export const lowestUntil: RuleKind<LowestUntil> = {
  schema,
  comparisons: "lead = (lowest of the others − L_run) / L_run at each evaluation of the window; its smallest value, " +
    "and its largest",
  wanted: "smallest not below _−m_; largest beyond _m_, refuted at 0",
  nullModel: "the best of the others",
  shows: "direction",
  supersededBy: "lowest-at",
  runsOf: ({ run, others }) => [run, ...others],
  marginsOf: ({ margin }) => ({ margin }),
  contrastCount: () => 2,
  describe: ({ metric, run, others, margin, until }, { share }) =>
    `${metric} loss of ${shortName(run)} is below those of ${listRuns(others)} by ${share(margin)} at some ` +
    `evaluation and nowhere above one by more than that, until ${formatPaperTokens(until)} tokens of the paper`,
  /** One run against the best of the others at every common evaluation after step 0 and up to the point. */
  assess(rule, context) {
    const reader = new LossReader();
    const margin = context.marginValue(rule.margin);
    const name = shortName(rule.run);
    const read = groupBySeed([rule.run, ...rule.others], context.arms).map(({ arms }) => {
      const steps = commonStepsWithin(rule.until, arms, context);
      const leads = steps.map((step) => {
        const [own = NaN, ...others] = arms.map((arm) => unread(arm, rule.metric, step));
        return { step, lead: (Math.min(...others) - own) / own };
      });
      const worst = leads.reduce((a, b) => b.lead < a.lead ? b : a);
      const best = leads.reduce((a, b) => b.lead > a.lead ? b : a);
      const lost = leads.find(({ lead }) => lead < 0)?.step;
      for (const step of [best.step, worst.step]) for (const arm of arms) reader.loss(arm, rule.metric, step);
      return { worst, best, lost };
    });
    const first = read[0];
    const until = formatPaperTokens(rule.until);
    const summary = first?.lost === undefined
      ? `${name} lowest throughout ${until}`
      : `${name} lowest until ${formatPaperTokens(paperTokensOf(first.lost, context))}`;
    return {
      contrasts: [{
        label: `${name} never behind the best other`,
        unit: "share of loss",
        values: read.map((r) => r.worst.lead),
        expectation: { kind: "not-below", margin },
      }, {
        label: `${name} ahead of all others at some point`,
        unit: "share of loss",
        values: read.map((r) => r.best.lead),
        expectation: present(margin),
      }],
      evidence: reader.evidence,
      finding: first?.lost === undefined
        ? `The ${rule.metric} loss of ${name} is the lowest at every evaluation within ${until} tokens of the paper`
        : `Within ${until} tokens of the paper, the ${rule.metric} loss of ${name} first loses the lead at ` +
          `${stepInWords(first.lost, context)}${read.length === 1 ? "" : " at the first seed"}`,
      summary,
    };
  },
};
