/**
 * A rehearsal of the tiny scale in PyTorch, with one seed, as curves: what a careful reader would say of each claim is
 * known for it. Losses in nats a byte, upstream and downstream, at the steps below; T is 1464 steps of 2048 tokens.
 */
import type { ArmCurves, JudgeContext } from "../../src/results/arm_curves.ts";
import type { CurvePoint } from "../../src/results/curves.ts";

/** The scale that the rehearsal stands for. */
export const REHEARSAL: JudgeContext = {
  scale: "tiny",
  isPaperScale: false,
  totalDownstreamSteps: 1464,
  tokensPerStep: 2048,
};

/** 0, 1, 2, 5, 17, 34, 50, 67, 81 % of the horizon: the last five stand for 50, 100, 150, 200 and 240B tokens. */
const STEPS = [0, 14, 29, 73, 248, 497, 732, 980, 1185];
const START: Pair = [0.890, 1.491];

type Pair = readonly [upstream: number, downstream: number];

const LONG: Readonly<Record<string, readonly Pair[]>> = {
  "max-learning-rate/constant": [
    START,
    [0.912, 1.425],
    [0.917, 1.394],
    [0.934, 1.349],
    [0.956, 1.267],
    [0.975, 1.222],
    [0.999, 1.185],
    [0.991, 1.160],
    [0.999, 1.144],
  ],
  "max-learning-rate/0.5x": [
    START,
    [0.981, 1.450],
    [1.029, 1.395],
    [1.066, 1.348],
    [1.091, 1.242],
    [1.088, 1.167],
    [1.098, 1.110],
    [1.047, 1.067],
    [1.040, 1.044],
  ],
  "max-learning-rate/1x": [
    START,
    [1.076, 1.490],
    [1.151, 1.443],
    [1.168, 1.399],
    [1.208, 1.266],
    [1.198, 1.179],
    [1.163, 1.106],
    [1.095, 1.045],
    [1.080, 1.012],
  ],
  "max-learning-rate/2x": [
    START,
    [1.252, 1.611],
    [1.359, 1.546],
    [1.356, 1.489],
    [1.351, 1.308],
    [1.297, 1.213],
    [1.228, 1.135],
    [1.137, 1.046],
    [1.117, 0.996],
  ],
  "from-scratch/scratch": [
    [5.785, 5.842],
    [4.014, 3.519],
    [3.128, 2.737],
    [2.716, 2.430],
    [2.172, 2.098],
    [1.626, 1.588],
    [1.473, 1.377],
    [1.349, 1.268],
    [1.319, 1.207],
  ],
};

/** Runs of 50B tokens: the first five of the steps. */
const SHORT: Readonly<Record<string, readonly Pair[]>> = {
  "warmup-length/0%": [START, [1.222, 1.558], [1.182, 1.450], [1.188, 1.386], [1.207, 1.258]],
  "warmup-length/0.5%": [START, [1.142, 1.529], [1.162, 1.441], [1.170, 1.391], [1.209, 1.260]],
  "warmup-length/1%": [START, [1.076, 1.490], [1.151, 1.443], [1.168, 1.399], [1.208, 1.266]],
  "warmup-length/2%": [START, [0.981, 1.450], [1.097, 1.431], [1.156, 1.399], [1.205, 1.269]],
};

/** Same data: the rehearsal recorded the upstream loss only. */
const SAME_DATA: Readonly<Record<string, readonly number[]>> = {
  "same-data/constant": [0.890, 0.896, 0.894, 0.890, 0.883],
  "same-data/0.5x": [0.890, 0.931, 0.957, 0.949, 0.946],
  "same-data/1x": [0.890, 1.002, 1.033, 1.021, 1.000],
  "same-data/2x": [0.890, 1.152, 1.182, 1.181, 1.085],
};

/** Stands in for losses that were not recorded; no test looks at what rests on it. */
const NOT_RECORDED = 1;

/** An arm with losses at some steps, at seed 0 unless said otherwise. */
export function arm(
  name: string,
  steps: readonly number[],
  losses: readonly Pair[],
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
      ...(diverged === undefined ? {} : { diverged }),
    },
  };
}

/** All arms that the rehearsal trained to a point that the claims read. */
export function rehearsalArms(): ArmCurves[] {
  return [
    ...Object.entries(LONG).map(([name, losses]) => arm(name, STEPS, losses)),
    ...Object.entries(SHORT).map(([name, losses]) => arm(name, STEPS, losses)),
    ...Object.entries(SAME_DATA).map(([name, losses]) =>
      arm(name, STEPS, losses.map((upstream): Pair => [upstream, NOT_RECORDED]))
    ),
    arm("earlier-checkpoints/7%-warmup-0%", [0, 248], [[2.174, 2.464], [1.750, 1.729]]),
    arm("earlier-checkpoints/7%-warmup-1%", [0, 248], [[2.174, 2.464], [1.734, 1.722]]),
    arm("earlier-checkpoints/100%-warmup-0%", [0, 248], [START, [1.207, 1.258]]),
    arm("earlier-checkpoints/100%-warmup-1%", [0, 248], [START, [1.208, 1.266]]),
  ];
}
