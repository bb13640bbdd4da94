/** Random weights as a function of seed, tensor and element: the same on every machine. */
import { cos, log, sin } from "../arithmetic/elementary.ts";
import { philox } from "../arithmetic/philox.ts";
import { STREAM } from "../arithmetic/streams.ts";
import type { ModelConfig } from "./config.ts";
import { parameterShapes } from "./parameters.ts";

const TWO_PI = 6.283185307179586;

/** Uniform in (0, 1) from a 32-bit word, symmetric about ½. */
function uniform(word: number): number {
  return (word + 0.5) / 4294967296;
}

/**
 * Writes normal variates by Box and Muller's transform, four a Philox block, in doubles, each rounded once to f32.
 *
 * @param ordinal index of the tensor in `parameterShapes`
 */
function fillNormal(target: Float32Array, seed: number, ordinal: number, standardDeviation: number): void {
  const words = new Uint32Array(4);
  const key: [number, number] = [seed >>> 0, Math.floor(seed / 4294967296) >>> 0];
  for (let first = 0; first < target.length; first += 4) {
    const block = first / 4;
    philox(key, [block >>> 0, Math.floor(block / 4294967296) >>> 0, ordinal, STREAM.initialWeights], words);
    for (let pair = 0; pair < 2; pair++) {
      const radius = standardDeviation * Math.sqrt(-2 * log(uniform(words[2 * pair] ?? 0)));
      const angle = TWO_PI * uniform(words[2 * pair + 1] ?? 0);
      const at = first + 2 * pair;
      if (at < target.length) target[at] = radius * cos(angle);
      if (at + 1 < target.length) target[at + 1] = radius * sin(angle);
    }
  }
}

/**
 * Fills the flat parameter vector of a model.
 *
 * @param weights receives `parameterCount(config)` elements in the order of `parameterShapes`
 * @param seed an integer from 0 to 2^53 − 1
 */
export function initializeWeights(config: ModelConfig, seed: number, weights: Float32Array): void {
  parameterShapes(config).forEach(({ offset, size, initial }, ordinal) => {
    const target = weights.subarray(offset, offset + size);
    if (initial.kind === "constant") target.fill(initial.value);
    else fillNormal(target, seed, ordinal, initial.standardDeviation);
  });
}
