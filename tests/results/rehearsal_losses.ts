/**
 * Losses that a rehearsal of the tiny scale recorded (another implementation, PyTorch; one seed), in nats a byte. The
 * horizon is 1464 steps of 2048 tokens.
 */

/** Upstream and downstream loss of one evaluation. */
export type LossPair = readonly [upstream: number, downstream: number];

/** Steps of the losses below, of which shorter runs have the first. */
export const REHEARSAL_STEPS = [0, 14, 29, 73, 248, 497, 732, 980, 1185, 1464] as const;

/** The pre-trained model. */
const START: LossPair = [0.890, 1.491];

/** Losses by arm: runs to the end of the horizon, and runs of 50B of the paper's tokens. */
export const REHEARSAL_LOSSES = {
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
    [1.003, 1.127],
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
    [1.034, 1.038],
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
    [1.071, 1.001],
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
    [1.097, 0.982],
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
    [1.295, 1.183],
  ],
  "warmup-length/0%": [START, [1.222, 1.558], [1.182, 1.450], [1.188, 1.386], [1.207, 1.258]],
  "warmup-length/0.5%": [START, [1.142, 1.529], [1.162, 1.441], [1.170, 1.391], [1.209, 1.260]],
  "warmup-length/1%": [START, [1.076, 1.490], [1.151, 1.443], [1.168, 1.399], [1.208, 1.266]],
  "warmup-length/2%": [START, [0.981, 1.450], [1.097, 1.431], [1.156, 1.399], [1.205, 1.269]],
} as const satisfies Readonly<Record<string, readonly LossPair[]>>;

/** Upstream losses of the arms on the same data; their downstream losses were not recorded. */
export const REHEARSAL_SAME_DATA = {
  "same-data/constant": [0.890, 0.896, 0.894, 0.890, 0.883, 0.880],
  "same-data/0.5x": [0.890, 0.931, 0.957, 0.949, 0.946, 0.910],
  "same-data/1x": [0.890, 1.002, 1.033, 1.021, 1.000, 0.956],
  "same-data/2x": [0.890, 1.152, 1.182, 1.181, 1.085, 1.008],
} as const satisfies Readonly<Record<string, readonly number[]>>;

/** Losses at steps 0 and 248 of the arms from an earlier checkpoint. */
export const REHEARSAL_CHECKPOINTS = {
  "earlier-checkpoints/7%-warmup-0%": [[2.174, 2.464], [1.750, 1.729]],
  "earlier-checkpoints/7%-warmup-1%": [[2.174, 2.464], [1.734, 1.722]],
} as const satisfies Readonly<Record<string, readonly LossPair[]>>;
