/**
 * In which order the domains of a corpus take turns: GPT-NeoX's greedy rule. Sample i goes to the domain with the
 * largest weight · max(i, 1) − taken, the first of them at a tie.
 *
 * @see gpt-neox `megatron/data/helpers.cpp`, `build_blending_indices`
 */

/** Samples between two remembered states; a jump walks at most this far. */
const CHECKPOINT_INTERVAL = 65536;

/** Consecutive samples of a blend. */
export interface BlendedSamples {
  /** domain of each sample, as an index into the weights */
  readonly domains: Uint8Array;
  /** how many samples of that domain came before it */
  readonly indices: Float64Array;
}

/** Weights that sum to 1. */
function normalised(weights: readonly number[]): Float64Array {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (
    weights.length === 0 || weights.length > 256 ||
    weights.some((weight) => !(weight >= 0)) || !(sum > 0)
  ) {
    throw new RangeError(
      `Blend of the weights [${weights.join(", ")}], expected 1 to 256 of them, not all zero`,
    );
  }
  return Float64Array.from(weights, (weight) => weight / sum);
}

/** Samples of a domain that should have been taken when `position` of all have been. */
type Due = (domain: number, position: number) => number;

/** The domain of sample `position` by the greedy rule; domains that are used up (`taken` at `available`) are passed. */
function nextDomain(
  due: Due,
  taken: Float64Array,
  position: number,
  available?: readonly number[],
): number {
  let chosen = -1, largest = -Infinity;
  for (let domain = 0; domain < taken.length; domain++) {
    const soFar = taken[domain] ?? 0;
    if (available !== undefined && soFar >= (available[domain] ?? 0)) continue;
    const deficit = due(domain, Math.max(position, 1)) - soFar;
    if (deficit > largest) [chosen, largest] = [domain, deficit];
  }
  return chosen;
}

/** Endless turns by the greedy rule, in which any sample can be reached; a walk from start to end costs O(1) a sample. */
export class Turns {
  readonly #due: Due;
  /** samples taken of each domain before sample k · CHECKPOINT_INTERVAL */
  readonly #checkpoints: Float64Array[];
  readonly #taken: Float64Array;
  #position = 0;

  /** @param due rises by at most 1 from a position, which is at least 1, to the next */
  constructor(domains: number, due: Due) {
    this.#due = due;
    this.#taken = new Float64Array(domains);
    this.#checkpoints = [this.#taken.slice()];
  }

  /** Samples `first` to `first + count − 1`: the same whatever was asked before. */
  range(first: number, count: number): BlendedSamples {
    this.#seek(first);
    const domains = new Uint8Array(count), indices = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      const domain = this.#step();
      domains[i] = domain;
      indices[i] = (this.#taken[domain] ?? 0) - 1;
    }
    return { domains, indices };
  }

  #seek(target: number): void {
    const nearest = Math.min(
      Math.floor(target / CHECKPOINT_INTERVAL),
      this.#checkpoints.length - 1,
    );
    if (
      target < this.#position || nearest * CHECKPOINT_INTERVAL > this.#position
    ) {
      this.#position = nearest * CHECKPOINT_INTERVAL;
      this.#taken.set(this.#checkpoints[nearest] ?? []);
    }
    while (this.#position < target) this.#step();
  }

  #step(): number {
    const domain = nextDomain(this.#due, this.#taken, this.#position);
    this.#taken[domain] = (this.#taken[domain] ?? 0) + 1;
    this.#position++;
    if (this.#position === this.#checkpoints.length * CHECKPOINT_INTERVAL) {
      this.#checkpoints.push(this.#taken.slice());
    }
    return domain;
  }
}

/** Turns by constant weights. */
export class Blend extends Turns {
  readonly weights: readonly number[];

  /** @param weights one of each domain, not negative; normalised here, but for a `Float64Array`, which is used as it is */
  constructor(weights: readonly number[] | Float64Array) {
    const shares = weights instanceof Float64Array ? weights.slice() : normalised(weights);
    super(shares.length, byWeights(shares));
    this.weights = [...shares];
  }
}

function byWeights(shares: Float64Array): Due {
  return (domain, position) => (shares[domain] ?? 0) * position;
}

/**
 * A finite blend by the same rule, in which a domain that has no more samples stands aside.
 *
 * @param available samples of each domain
 * @returns fewer than `count` samples only if there are no more
 */
export function blendWithin(
  weights: readonly number[],
  available: readonly number[],
  count: number,
): BlendedSamples {
  const due = byWeights(normalised(weights));
  const taken = new Float64Array(weights.length);
  const length = Math.min(
    count,
    available.reduce((total, samples) => total + samples, 0),
  );
  const domains = new Uint8Array(length), indices = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const domain = nextDomain(due, taken, i, available);
    domains[i] = domain;
    indices[i] = taken[domain] ?? 0;
    taken[domain] = (taken[domain] ?? 0) + 1;
  }
  return { domains, indices };
}
