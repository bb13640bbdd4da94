/** What evaluating a rule gives, and the reading of losses that all kinds share. */
import {
  type ArmCurves,
  armName,
  evaluationAt,
  formatPaperTokens,
  type JudgeContext,
  paperTokensOf,
} from "../arm_curves.ts";
import { type Contrast, decimal } from "../contrast.ts";
import { pointAt } from "../curves.ts";
import { mean } from "../statistics/summary.ts";
import type { Metric } from "./parts.ts";

/** A number of a curve that a verdict rests on. */
export interface Evidence {
  /** `max-learning-rate/1x, seed 0: downstream loss in nats` */
  readonly label: string;
  /** of the run whose curve was read */
  readonly runKey: string;
  /** optimizer steps done */
  readonly step: number;
  /** training tokens at this scale */
  readonly tokens: number;
  /** decimal string */
  readonly value: string;
}

/** A rule applied to curves. */
export interface Assessment {
  readonly contrasts: readonly Contrast[];
  readonly evidence: readonly Evidence[];
  /** what the curves show, as the opening of a sentence */
  readonly finding: string;
  /** the same for a table: a few words */
  readonly summary: string;
}

/** The scale, and the values of the margins that `experiments/paper.yaml` fixes. */
export interface RuleContext extends JudgeContext {
  readonly arms: readonly ArmCurves[];
  readonly marginValue: (name: string) => number;
}

/** Reads losses and keeps the evidence for them. */
export class LossReader {
  readonly #evidence = new Map<string, Evidence>();

  /** Loss of an arm at one of its evaluation steps. */
  loss(arm: ArmCurves, metric: Metric, step: number): number {
    const point = evaluationAt(arm, step);
    const label = `${armName(arm)}, seed ${arm.seedIndex}: ${metric} loss in nats`;
    this.#evidence.set(`${label} ${step}`, {
      label,
      runKey: arm.runKey,
      step,
      tokens: point.tokens,
      value: decimal(point[metric]),
    });
    return point[metric];
  }

  /** Everything read, in the order of the first reading. */
  get evidence(): Evidence[] {
    return [...this.#evidence.values()];
  }
}

/** A loss that is looked at on the way to the one that counts, and is no evidence. */
export function unread(arm: ArmCurves, metric: Metric, step: number): number {
  return pointAt(arm.curves, step)?.[metric] ?? NaN;
}

/** `step 247 (50B tokens of the paper)`. */
export function stepInWords(step: number, context: JudgeContext): string {
  return `step ${step} (${formatPaperTokens(paperTokensOf(step, context))} tokens of the paper)`;
}

/** Mean over seeds with three decimals, for sentences. */
export function lossInWords(losses: readonly number[]): string {
  return decimal(mean(losses), 3);
}

/** ` in the mean of 3 seeds`, or nothing with one. */
export function seedsInWords(count: number): string {
  return count === 1 ? "" : ` in the mean of ${count} seeds`;
}
