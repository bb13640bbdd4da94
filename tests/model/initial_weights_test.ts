import assert from "node:assert/strict";
import { cos, log, sin } from "../../src/arithmetic/elementary.ts";
import { philox } from "../../src/arithmetic/philox.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { type ModelConfig, parameterCount } from "../../src/model/config.ts";
import { initializeWeights } from "../../src/model/initial_weights.ts";
import { parameterShapes } from "../../src/model/parameters.ts";

const CONFIG: ModelConfig = {
  hiddenSize: 64,
  layers: 2,
  heads: 4,
  intermediateSize: 256,
  vocabularySize: 256,
  sequenceLength: 128,
  rotaryFraction: 0.25,
  rotaryBase: 10000,
  layerNormEpsilon: 1e-5,
};

function initialWeights(seed: number, config = CONFIG): Float32Array {
  const weights = new Float32Array(parameterCount(config)).fill(NaN);
  initializeWeights(config, seed, weights);
  return weights;
}

/** One element by docs/arithmetic.md §8, on its own. */
function element(seed: bigint, tensor: number, index: number, standardDeviation: number): number {
  const words = new Uint32Array(4);
  philox([Number(seed & 0xffffffffn), Number(seed >> 32n)], [Math.floor(index / 4), 0, tensor, 1], words);
  const uniform = (word: number) => (words[word]! + 0.5) / 2 ** 32;
  const first = index % 4 < 2 ? 0 : 2;
  const r = standardDeviation * Math.sqrt(-2 * log(uniform(first)));
  const angle = 6.283185307179586 * uniform(first + 1);
  return Math.fround(r * (index % 2 === 0 ? cos(angle) : sin(angle)));
}

Deno.test("initializeWeights() follows docs/arithmetic.md §8 to the bit, for seeds beyond 32 bits too", () => {
  for (const seed of [0n, 1234n, 2n ** 32n, 2n ** 53n - 1n]) {
    const weights = initialWeights(Number(seed));
    parameterShapes(CONFIG).forEach(({ name, offset, size, initial }, tensor) => {
      for (let index = 0; index < size; index += initial.kind === "constant" ? 1 : 37) {
        const expected = initial.kind === "constant"
          ? initial.value
          : element(seed, tensor, index, initial.standardDeviation);
        assert.equal(weights[offset + index], expected, `${name}[${index}] for seed ${seed}`);
      }
    });
  }
});

Deno.test("initializeWeights() fills tensors whose size is not a multiple of 4", () => {
  const weights = initialWeights(1, { ...CONFIG, hiddenSize: 3, heads: 1, vocabularySize: 5, intermediateSize: 7 });
  assert(weights.every(Number.isFinite));
});

Deno.test("initializeWeights() draws from the normal distribution that each tensor states", () => {
  const weights = initialWeights(1234);
  for (const { name, offset, size, initial } of parameterShapes(CONFIG)) {
    if (initial.kind === "constant") continue;
    const z = Float64Array.from(weights.subarray(offset, offset + size), (w) => w / initial.standardDeviation);
    const moment = (power: number) => z.reduce((sum, value) => sum + value ** power, 0) / size;
    // five standard errors of each moment of N(0, 1): √(1/n), √(2/n), √(15/n), √(96/n)
    const limit = (variance: number) => 5 * Math.sqrt(variance / size);
    assert(Math.abs(moment(1)) < limit(1), `${name}: mean ${moment(1)}`);
    assert(Math.abs(moment(2) - 1) < limit(2), `${name}: variance ${moment(2)}`);
    assert(Math.abs(moment(3)) < limit(15), `${name}: third moment ${moment(3)}`);
    assert(Math.abs(moment(4) - 3) < limit(96), `${name}: fourth moment ${moment(4)}`);
  }
});

Deno.test("initializeWeights() draws neighbours, tensors and seeds independently", () => {
  const correlation = (a: Float32Array, b: Float32Array) => {
    const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  };
  const [one, two, far] = [initialWeights(1), initialWeights(2), initialWeights(1 + 2 ** 32)];
  const size = CONFIG.vocabularySize * CONFIG.hiddenSize;
  const embedding = one.subarray(0, size);
  const limit = 5 / Math.sqrt(size);
  assert(Math.abs(correlation(embedding, one.subarray(one.length - size))) < limit, "embedding and output head");
  assert(Math.abs(correlation(embedding, two.subarray(0, size))) < limit, "seeds 1 and 2");
  assert(Math.abs(correlation(embedding, far.subarray(0, size))) < limit, "seeds 1 and 1 + 2^32");
  for (const lag of [1, 2, 3, 4]) {
    assert(Math.abs(correlation(embedding.subarray(lag), embedding.subarray(0, size - lag))) < limit, `lag ${lag}`);
  }
});

Deno.test("initializeWeights() gives a tensor the same values in a longer vocabulary", () => {
  const longer = initialWeights(7, { ...CONFIG, vocabularySize: 512 });
  assert.deepEqual(longer.subarray(0, 256 * 64), initialWeights(7).subarray(0, 256 * 64));
});

Deno.test("initializeWeights() keeps the bits that ordered-f32/1 pins for seed 1234", () => {
  const weights = initialWeights(1234);
  assert.equal(
    sha256(new Uint8Array(weights.buffer)),
    "c8ed8888f053823e99f8f10a63a72e342689b40358c0ddce783c21f83da77206",
  );
});
