/** Seeds of initial weights and of the orders of windows. */

/** Seeds of one repetition of all experiments. */
export interface Seeds {
  /** of the initial weights, the same for pre-training and for training from scratch */
  readonly init: number;
  /** of the order of windows in pre-training */
  readonly pretrainingOrder: number;
  /** of the order of windows in continued training: one for all arms, which therefore see the same batches */
  readonly continuingOrder: number;
}

/** Pythia's seed; repetitions count on from it in thousands. */
const BASE_SEED = 1234;

/**
 * Seeds of a repetition: they change the initial weights and all orders, so that repetitions are independent from
 * pre-training on. The order of continued training differs from that of pre-training, so that a run that goes on
 * with the same corpus does not see the very batches again that its model has just been trained on in that order.
 */
export function seedsOf(seedIndex: number): Seeds {
  const base = BASE_SEED + 1000 * seedIndex;
  return { init: base, pretrainingOrder: base, continuingOrder: base + 1 };
}

/** Orders of continued training besides the usual one, at most: seeds of repetitions are a thousand apart. */
export const MAX_ORDER = 99;

/** The seed of an order of continued training; order 0 is the usual one. */
export function orderSeed({ continuingOrder }: Seeds, order: number): number {
  return continuingOrder + order;
}
