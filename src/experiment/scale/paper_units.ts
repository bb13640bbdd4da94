/**
 * The paper's tokens and pre-training steps as the unit in which experiments are written down. A scale turns them
 * into its own steps by keeping fractions: 50e9 tokens are 16.8 % of the downstream corpus at every scale.
 */

/** Tokens of the paper's downstream corpus: 131,296 steps of 1104 sequences of 2048 tokens. */
export const PAPER_DOWNSTREAM_TOKENS = 131_296 * 1104 * 2048;

/** Optimizer steps of Pythia's pre-training, each of 1024 sequences of 2048 tokens. */
export const PAPER_PRETRAINING_STEPS = 143_000;

/** Tokens of Pythia's pre-training. */
export const PAPER_PRETRAINING_TOKENS = PAPER_PRETRAINING_STEPS * 1024 * 2048;

/** Tokens of the upstream corpus that the longest run on the same data continues with (section 4.4). */
export const PAPER_SAME_DATA_TOKENS = 50e9;

/** Pre-training steps whose checkpoints the paper starts from. */
export const PAPER_CHECKPOINT_STEPS: readonly number[] = [10_000, 27_000, 143_000];

/**
 * Token counts at which every run of continued training is evaluated, whatever its interval: the ends of the paper's
 * experiments, and the points at which its curves are compared.
 */
export const PAPER_LANDMARK_TOKENS: readonly number[] = [50e9, 100e9, 150e9, 200e9, 240e9, PAPER_DOWNSTREAM_TOKENS];

/**
 * Steps at a scale that stand for some of the paper's units, to the nearest step.
 *
 * @param amount tokens or steps of the paper
 * @param whole what `steps` stand for, in the same unit
 * @param steps optimizer steps at this scale
 */
export function scaledSteps(amount: number, whole: number, steps: number): number {
  return Math.round(amount / whole * steps);
}
