/** The losses of several runs at one common step, for the rules that compare runs with each other. */
import { commonStepNear, groupBySeed, type SeedGroup, shortName } from "../arm_curves.ts";
import type { Contrast } from "../contrast.ts";
import { type Assessment, lossInWords, LossReader, type RuleContext, seedsInWords, stepInWords } from "./assessment.ts";
import type { Metric, PaperPoint } from "./parts.ts";

/** Losses of the named runs at the common step of each seed. */
export interface Losses {
  readonly names: readonly string[];
  /** [seed][run] */
  readonly bySeed: readonly (readonly number[])[];
  readonly steps: readonly number[];
  readonly reader: LossReader;
}

/** Reads the losses of the named runs near a point. */
export function readLosses(
  names: readonly string[],
  metric: Metric,
  at: PaperPoint,
  context: RuleContext,
): Losses {
  const reader = new LossReader();
  const groups: SeedGroup[] = groupBySeed(names, context.arms);
  const steps = groups.map((group) => commonStepNear(at, group.arms, context));
  const bySeed = groups.map((group, index) => group.arms.map((arm) => reader.loss(arm, metric, steps[index] ?? NaN)));
  return { names, bySeed, steps, reader };
}

/** (loss of `a` − loss of `b`) / loss of `b`, one a seed. */
export function relativeDifferences({ bySeed }: Losses, a: number, b: number): number[] {
  return bySeed.map((losses) => ((losses[a] ?? NaN) - (losses[b] ?? NaN)) / (losses[b] ?? NaN));
}

/** The assessment that lists the losses and rests on some contrasts of them. */
export function assessmentOf(losses: Losses, metric: Metric, contrasts: Contrast[], context: RuleContext): Assessment {
  const list = losses.names.map((name, run) =>
    `${shortName(name)} ${lossInWords(losses.bySeed.map((l) => l[run] ?? NaN))}`
  );
  const summary = list.join(", ");
  const where = stepInWords(losses.steps[0] ?? NaN, context);
  return {
    contrasts,
    evidence: losses.reader.evidence,
    finding: `At ${where} the ${metric} loss is ${summary}${seedsInWords(losses.bySeed.length)}`,
    summary,
  };
}
