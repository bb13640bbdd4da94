/**
 * How GPT-NeoX shares samples out among several datasets. In which order they take turns is {@linkcode Blend}'s greedy
 * rule; here are the weights that it is given, to the last bit, and how many samples each dataset must hold.
 *
 * @see gpt-neox of 2023 `megatron/data/data_utils.py`, `get_normalized_weights_and_num_samples`, and
 * `megatron/data/blendable_dataset.py`
 */

/** Half a percent more samples than the weights ask for, so that uneven turns find enough. */
const RESERVE = 1.005;
/** numpy adds so many sums side by side, */
const LANES = 8;
/** and cuts longer arrays in two. */
const BLOCK = 128;

/** The sum that `numpy.sum` gives: pairwise, so that its last bits differ from those of a plain loop. */
function numpySum(values: Float64Array): number {
  const { length } = values;
  if (length < LANES) return values.reduce((sum, value) => sum + value, 0);
  if (length > BLOCK) {
    const half = Math.floor(length / 2);
    const cut = half - half % LANES;
    return numpySum(values.subarray(0, cut)) + numpySum(values.subarray(cut));
  }
  const lanes = values.slice(0, LANES);
  const whole = length - length % LANES;
  for (let i = LANES; i < whole; i++) lanes[i % LANES] = (lanes[i % LANES] ?? 0) + (values[i] ?? 0);
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = lanes;
  return values.subarray(whole).reduce((sum, value) => sum + value, ((a + b) + (c + d)) + ((e + f) + (g + h)));
}

/** What a blend of datasets is made with. */
export interface BlendShares {
  /** weights that sum to 1, for the greedy rule */
  readonly weights: Float64Array;
  /** samples for which each dataset's order is built, `num_samples` in GPT-NeoX */
  readonly samples: readonly number[];
}

/**
 * Weights and samples of a blend. GPT-NeoX divides the weights by their sum twice, first by Python's sum and then by
 * numpy's, and counts samples between the two.
 *
 * @param weights one for each dataset, above 0
 * @param samples of the whole blend
 * @throws {RangeError} unless there are 1 to 254 weights, all above 0
 */
export function blendShares(weights: readonly number[], samples: number): BlendShares {
  if (weights.length === 0 || weights.length > 254 || weights.some((weight) => !(weight > 0 && weight < Infinity))) {
    throw new RangeError(`Blend of the weights [${weights.join(", ")}], expected 1 to 254 of them, all above 0`);
  }
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const once = Float64Array.from(weights, (weight) => weight / sum);
  const again = numpySum(once);
  return {
    weights: once.map((weight) => weight / again),
    samples: Array.from(once, (weight) => Math.ceil(samples * weight * RESERVE)),
  };
}
