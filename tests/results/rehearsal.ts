/**
 * A rehearsal of the tiny scale in PyTorch, with one seed, as curves: what a careful reader would say of each claim is
 * known for it. Losses in nats a byte, upstream and downstream, at the steps below; T is 1464 steps of 2048 tokens.
 */
import type { ArmCurves, JudgeContext } from "../../src/results/arm_curves.ts";
import type { CurvePoint } from "../../src/results/curves.ts";
import {
  type LossPair,
  REHEARSAL_CHECKPOINTS,
  REHEARSAL_LOSSES,
  REHEARSAL_SAME_DATA,
  REHEARSAL_STEPS,
} from "./rehearsal_losses.ts";

/** The scale that the rehearsal stands for. */
export const REHEARSAL: JudgeContext = {
  scale: "tiny",
  isPaperScale: false,
  totalDownstreamSteps: 1464,
  tokensPerStep: 2048,
  vocabularySize: 256,
  pretrainingTokens: 1953 * 2048,
};

/**
 * 0, 1, 2, 5, 17, 34, 50, 67, 81 % of the horizon: the last five stand for 50, 100, 150, 200 and 240B tokens. Their end
 * is left out.
 */
const STEPS = REHEARSAL_STEPS.slice(0, 9);

/** Stands in for losses that were not recorded; no test looks at what rests on it. */
const NOT_RECORDED = 1;

/** An arm with losses at some steps, at seed 0 unless said otherwise. */
export function arm(
  name: string,
  steps: readonly number[],
  losses: readonly LossPair[],
  { seedIndex = 0, diverged }: { seedIndex?: number; diverged?: { step: number; loss: string } } = {},
): ArmCurves {
  const [experiment = "", armName = ""] = name.split("/");
  const runKey = `${name} ${seedIndex}`;
  const points = losses.map(([upstream, downstream], index): CurvePoint => {
    const step = steps[index] ?? NaN;
    return { step, tokens: step * REHEARSAL.tokensPerStep, learningRate: 1e-3, upstream, downstream };
  });
  return {
    experiment,
    arm: armName,
    seedIndex,
    runKey,
    steps: steps[losses.length - 1] ?? 0,
    curves: {
      runKey,
      label: runKey,
      tokensPerStep: REHEARSAL.tokensPerStep,
      bytesPerToken: { upstream: 1, downstream: 1 },
      points,
      diverged,
    },
  };
}

function startAndEnd(losses: readonly [LossPair, ...LossPair[], LossPair]): LossPair[] {
  return [losses[0], losses[losses.length - 1] ?? losses[0]];
}

/** All arms that the rehearsal trained to a point that the claims read. */
export function rehearsalArms(): ArmCurves[] {
  return [
    ...Object.entries(REHEARSAL_LOSSES).map(([name, losses]) => arm(name, STEPS, losses.slice(0, STEPS.length))),
    ...Object.entries(REHEARSAL_SAME_DATA).map(([name, losses]) =>
      // The claims read these runs at 50B tokens, the fifth of the steps.
      arm(name, STEPS, losses.slice(0, 5).map((upstream): LossPair => [upstream, NOT_RECORDED]))
    ),
    ...Object.entries(REHEARSAL_CHECKPOINTS).map(([name, losses]) => arm(name, [0, 248], losses)),
    arm("earlier-checkpoints/100%-warmup-0%", [0, 248], startAndEnd(REHEARSAL_LOSSES["warmup-length/0%"])),
    arm("earlier-checkpoints/100%-warmup-1%", [0, 248], startAndEnd(REHEARSAL_LOSSES["warmup-length/1%"])),
  ];
}
