/** How a loss changes from the start to a point: forgetting upstream, adaptation downstream; as a whole or by domain. */
import { z } from "zod";
import { CannotRead, evaluationAt, formatPaperTokens, shortName } from "../../arm_curves.ts";
import { ruleParts } from "../../rules/parts.ts";
import { atPoint, listRuns } from "../../rules/words.ts";
import { PointReader } from "../loss_reader.ts";
import type { EstimatedNumber, MeasureKind } from "../measure_kind.ts";

const { runs, metric, point } = ruleParts;

const schema = z.strictObject({
  kind: z.literal("change"),
  runs,
  metric,
  at: point,
  /** of each domain of the validation set beside the whole */
  byDomain: z.boolean().default(false),
});

/** A change since the start. */
export type Change = z.output<typeof schema>;

/** Its fields, words and numbers. */
export const change: MeasureKind<Change> = {
  schema,
  numbers: "for each run, and with `byDomain` for each domain: (L at the point − L at step 0) / L at step 0",
  runsOf: ({ runs }) => [...runs],
  describe: ({ runs, metric, at, byDomain }) =>
    `change of ${metric} loss of ${listRuns(runs)} from the start to ${
      at === "end" ? "the end" : formatPaperTokens(at)
    }` +
    (byDomain ? ", by domain" : ""),
  read(measure, context) {
    const { metric } = measure;
    const reader = new PointReader(measure.runs, measure.at, context);
    const numbers = measure.runs.flatMap((run): EstimatedNumber[] => {
      const whole: EstimatedNumber = {
        label: `${shortName(run)} ${atPoint(measure.at)}`,
        unit: "share of loss",
        values: reader.read(run, metric).map(({ start, point }) => (point - start) / start),
      };
      if (!measure.byDomain) return [whole];
      const bySeed = reader.arms(run).map(({ arm, step }) => {
        const names = arm.curves.validation?.[metric].domains.map(({ name }) => name);
        const [from, to] = [0, step].map((step) => evaluationAt(arm, step).domains?.[metric]);
        if (names === undefined || from?.length !== names.length || to?.length !== names.length) {
          throw new CannotRead(`the curve of "${run}" has no losses by domain`);
        }
        return new Map(names.map((name, domain) => {
          const [start, point] = [from[domain] ?? NaN, to[domain] ?? NaN];
          return [name, (point - start) / start] as const;
        }));
      });
      const domains = [...bySeed[0]?.keys() ?? []]
        .filter((domain) => bySeed.every((changes) => Number.isFinite(changes.get(domain))));
      return [
        whole,
        ...domains.map((domain): EstimatedNumber => ({
          label: `${shortName(run)}, ${domain}`,
          unit: "share of loss",
          values: bySeed.map((changes) => changes.get(domain) ?? NaN),
        })),
      ];
    });
    return { numbers, evidence: reader.losses.evidence };
  },
};
