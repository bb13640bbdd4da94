/** The exact engine against tests/reference, which was written from docs/arithmetic.md alone: equal to the bit. */
import assert from "node:assert/strict";
import { ARITHMETIC_VERSION } from "../../src/engine/ordered/arithmetic.ts";
import { forward, sequenceLoss } from "../reference/forward.ts";
import { parameters } from "../reference/parameters.ts";
import { gradient, step, type Training } from "../reference/step.ts";
import {
  assertSameState,
  assertSameVector,
  copyState,
  digestOf,
  LEARNING_RATE,
  loadState,
  loadWeights,
  randomTokens,
  randomWeights,
  smallTraining,
  stateOf,
  withSession,
} from "./fixture.ts";

interface Case {
  readonly name: string;
  readonly training: Training;
  readonly scale?: number;
}

const CASES: Case[] = [
  { name: "24 tokens, 3 blocks of 2 sequences", training: smallTraining({}, 6, 2) },
  { name: "32 tokens, one block", training: smallTraining({ sequenceLength: 32 }, 2, 2) },
  { name: "40 tokens, 5 blocks", training: smallTraining({ sequenceLength: 40 }, 5) },
  {
    name: "72 tokens (two pieces of a column sum), tensors of more than one chunk",
    training: smallTraining({ sequenceLength: 72, vocabularySize: 264 }),
  },
  {
    name: "another optimizer, rotation of half a head, a narrow MLP",
    training: smallTraining({ rotaryFraction: 0.5, intermediateSize: 40 }, 4, 2, {
      beta1: 0.87,
      beta2: 0.97,
      epsilon: 3e-7,
      weightDecay: 0.037,
      gradientClip: 0.3,
    }),
  },
  {
    name: "one head of 24, all of it rotated, weights 30 times larger",
    training: smallTraining({ hiddenSize: 24, heads: 1, rotaryFraction: 1, vocabularySize: 40 }, 3),
    scale: 30,
  },
  {
    name: "the smallest shape, another rotary base and ε",
    training: smallTraining({
      hiddenSize: 8,
      layers: 1,
      heads: 1,
      intermediateSize: 8,
      vocabularySize: 8,
      sequenceLength: 8,
      rotaryFraction: 1,
      rotaryBase: 500,
      layerNormEpsilon: 0.01,
    }, 3),
  },
  {
    name: "saturated softmax and GELU: weights 300 times larger",
    training: smallTraining({ hiddenSize: 40, heads: 5, vocabularySize: 72 }),
    scale: 300,
  },
];

for (const { name, training, scale = 1 } of CASES) {
  Deno.test(`step() equals the reference bit for bit over three steps when it trains ${name}`, async () => {
    const { model, batchSequences } = training;
    const expected = stateOf(randomWeights(model, 1, scale));
    await withSession(training, async (session) => {
      await loadState(session, expected);
      for (const index of [0, 1, 2]) {
        const tokens = randomTokens(model, batchSequences, index);
        const actual = await session.step(tokens, LEARNING_RATE, index);
        assert.deepEqual(actual, step(training, expected, tokens, LEARNING_RATE, index));
        assert.equal(actual.outcome, "updated");
        assertSameState(await copyState(session), expected, model);
      }
    });
  });
}

Deno.test("gradient() equals the reference bit for bit when a sequence spans blocks of 512 steps of k", async () => {
  // 528 tokens: two blocks along k in both attention products, and three blocks of 258 rows.
  const training = smallTraining({ layers: 1, intermediateSize: 16, vocabularySize: 16, sequenceLength: 528 }, 1);
  const weights = randomWeights(training.model, 2, 2);
  const tokens = randomTokens(training.model, 1);
  await withSession(training, async (session) => {
    await loadWeights(session, weights);
    const actual = await session.gradient(tokens);
    const expected = gradient(training, weights, tokens);
    assert.equal(actual.loss, expected.loss);
    assertSameVector(actual.gradient, expected.gradient, training.model, "gradient");
  });
});

Deno.test("gradient() changes neither weights nor moments", async () => {
  const training = smallTraining();
  const before = stateOf(randomWeights(training.model));
  before.firstMoments.fill(0.5);
  before.secondMoments.fill(0.25);
  await withSession(training, async (session) => {
    await loadState(session, before);
    await session.gradient(randomTokens(training.model, 2));
    assertSameState(await copyState(session), before, training.model);
  });
});

Deno.test("logits() equals the reference bit for bit", async () => {
  const training = smallTraining({ sequenceLength: 40 });
  const { model } = training;
  const weights = randomWeights(model);
  const tokens = randomTokens(model, 1).subarray(0, model.sequenceLength);
  await withSession(training, async (session) => {
    await loadWeights(session, weights);
    const expected = forward(model, parameters(model, weights), tokens).logits.data;
    assert.deepEqual(await session.logits(tokens), expected);
  });
});

Deno.test("evaluate() equals the reference bit for bit when there are more windows than one pass takes", async () => {
  const training = smallTraining({ sequenceLength: 8 }, 2);
  const { model } = training;
  const weights = randomWeights(model);
  const windows = 131; // 64 a pass
  const tokens = randomTokens(model, windows);
  await withSession(training, async (session) => {
    await loadWeights(session, weights);
    const actual = await session.evaluate(tokens);
    const expected = Float32Array.from({ length: windows }, (_, window) => {
      const sequence = tokens.subarray(window * 9, (window + 1) * 9);
      return sequenceLoss(forward(model, parameters(model, weights), sequence).logits, sequence).loss;
    });
    assert.deepEqual(actual, expected);
    assert.deepEqual(await session.evaluate(new Uint16Array(0)), new Float32Array(0));
  }, { threads: 2 });
});

Deno.test("step() ends with the state that ordered-f32/1 pins after ten steps", async () => {
  assert.equal(ARITHMETIC_VERSION, "ordered-f32/1", "another version of the arithmetic pins other digests");
  const training = smallTraining({ sequenceLength: 40 }, 6, 2);
  await withSession(training, async (session) => {
    await loadWeights(session, randomWeights(training.model));
    const losses: number[] = [];
    for (let index = 0; index < 10; index++) {
      losses.push((await session.step(randomTokens(training.model, 6, index % 3), LEARNING_RATE, index)).loss);
    }
    assert.deepEqual([losses[0], losses[9]], [4.34765625, 3.999408483505249]);
    assert.equal(
      digestOf(await session.readState()),
      "7f752ac3d2e61a60927143e29c92ae614f95844b4ff517f6fbdd72cb1b3d1d16",
    );
  }, { threads: 2 });
});
