/** What a plan costs on rented GPUs: FLOPs over a chip's peak and the share of it that training reaches. */
import { ownMember } from "../../digest/own_member.ts";
import { suggest, UserError } from "../../errors.ts";
import { compactNumber } from "../../text/numbers.ts";
import { runCost } from "./cost.ts";
import type { Plan } from "./plan.ts";
import type { PlannedRun } from "../run/run.ts";

/** Dense 16-bit tensor-core peak of a chip in FLOP/s, by NVIDIA's data sheets (without sparsity). */
const GPU_PEAKS: Readonly<Record<string, number>> = {
  v100: 125e12,
  a100: 312e12,
  h100: 989e12,
  h200: 989e12,
};

/** What a price is reckoned with. */
export interface PriceOptions {
  /** one of v100, a100, h100, h200 */
  readonly gpu: string;
  /** model FLOPs utilisation: the share of the peak that training reaches, 0 to 1 */
  readonly utilization: number;
  /** dollars a GPU and hour */
  readonly dollarsPerHour: number;
}

/** Cost of some runs. */
export interface Price {
  readonly gpuDays: number;
  readonly dollars: number;
}

/** A plan's cost, with the pre-training apart: Pythia's checkpoints are public. */
export interface PlanPrice {
  readonly pretraining: Price;
  readonly continuing: Price;
}

/**
 * Price of some floating-point operations.
 *
 * @throws {UserError} `UNKNOWN_GPU` with the nearest match
 */
export function gpuPrice(flops: number, options: PriceOptions): Price {
  const peak = ownMember(GPU_PEAKS, options.gpu);
  if (peak === undefined) {
    throw new UserError("UNKNOWN_GPU", `Unknown GPU "${options.gpu}"`, suggest(options.gpu, Object.keys(GPU_PEAKS)));
  }
  const seconds = flops / (peak * options.utilization);
  return { gpuDays: seconds / 86_400, dollars: seconds / 3600 * options.dollarsPerHour };
}

/** Whether a run is a pre-training: of the model that the paper continues, or of another to continue. */
export function isPretraining({ specification: { initialWeights, corpus } }: PlannedRun): boolean {
  return initialWeights.kind === "random" && corpus.name === "upstream";
}

/**
 * Prices a plan by its FLOPs; attention counted as the full square, evaluations included.
 *
 * @throws {UserError} `UNKNOWN_GPU` with the nearest match
 */
export function pricePlan(plan: Plan, options: PriceOptions): PlanPrice {
  const price = (pretraining: boolean): Price =>
    gpuPrice(
      plan.runs.filter((run) => isPretraining(run) === pretraining)
        .reduce((total, run) => total + runCost(run).flops, 0),
      options,
    );
  return { pretraining: price(true), continuing: price(false) };
}

/** The price as lines of text. */
export function formatPrice(plan: Plan, options: PriceOptions): string {
  const { pretraining, continuing } = pricePlan(plan, options);
  const line = ({ gpuDays, dollars }: Price) => `${compactNumber(gpuDays)} GPU-days, $${compactNumber(dollars)}`;
  return [
    `on ${options.gpu} at ${
      Math.round(100 * options.utilization)
    } % of its 16-bit peak and $${options.dollarsPerHour} an hour:`,
    `  continued training  ${line(continuing)}`,
    ...(pretraining.gpuDays === 0
      ? []
      : [`  pre-training        ${line(pretraining)} (not needed where its checkpoints are public)`]),
  ].join("\n");
}
