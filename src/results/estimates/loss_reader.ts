/** Losses of runs at a common step, by seed, for estimates. */
import { type ArmCurves, commonStepNear, groupBySeed } from "../arm_curves.ts";
import { LossReader } from "../rules/assessment.ts";
import { startLoss } from "../rules/own_start.ts";
import type { Metric, PaperPoint } from "../rules/parts.ts";
import type { EstimateContext } from "./measure_kind.ts";

/** Losses of one run at one seed. */
export interface StartAndPoint {
  readonly start: number;
  readonly point: number;
}

/** Reads start and point of several runs, at one step for all. */
export class PointReader {
  readonly losses: LossReader = new LossReader();
  readonly #groups: readonly { readonly arms: readonly ArmCurves[]; readonly step: number }[];

  constructor(private readonly runs: readonly string[], at: PaperPoint, context: EstimateContext) {
    this.#groups = groupBySeed(runs, context.arms)
      .map(({ arms }) => ({ arms, step: commonStepNear(at, arms, context) }));
  }

  /** One entry a seed. */
  read(run: string, metric: Metric): StartAndPoint[] {
    const index = this.runs.indexOf(run);
    return this.#groups.map(({ arms, step }) => {
      const arm = arms[index];
      if (arm === undefined) throw new Error(`"${run}" is not among the runs that are read`);
      return { start: startLoss(arm, metric, this.losses), point: this.losses.loss(arm, metric, step) };
    });
  }

  /** Arms and common step of each seed. */
  arms(run: string): { readonly arm: ArmCurves; readonly step: number }[] {
    const index = this.runs.indexOf(run);
    return this.#groups.map(({ arms, step }) => ({ arm: arms[index] as ArmCurves, step }));
  }
}
