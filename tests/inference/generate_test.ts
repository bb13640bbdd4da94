import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import { openForInference } from "../../src/inference/open_for_inference.ts";
import { initializeWeights } from "../../src/model/initial_weights.ts";
import { generate, type GenerationOptions, generationWindow } from "../../src/inference/generate.ts";
import { SMALL_MODEL } from "../model/hugging_face_files.ts";

const OPTIONS: GenerationOptions = {
  temperature: 0,
  topP: 1,
  seed: 0,
  tokens: 6,
  vocabularySize: 8,
  endOfText: 0,
};
const ROWS = 10;

/** A model whose likeliest token after a position is `next` of the tokens up to it; rows above 8 are always likelier. */
function fake(next: (seen: number[]) => number) {
  const windows: number[][] = [];
  return {
    windows,
    logits: (tokens: Uint16Array) => {
      windows.push([...tokens]);
      const logits = new Float32Array(tokens.length * ROWS);
      tokens.forEach((_, i) => {
        logits[i * ROWS + next([...tokens.subarray(0, i + 1)])] = 1;
        logits.fill(9, i * ROWS + OPTIONS.vocabularySize, (i + 1) * ROWS);
      });
      return Promise.resolve(logits);
    },
  };
}

const successor = (seen: number[]) => ((seen.at(-1) ?? 0) + 1) % 8;

Deno.test("generate() goes on from the prompt's last token, and chooses no row of padding", async () => {
  assert.deepEqual(await Array.fromAsync(generate(fake(successor), 8, [1, 1], { ...OPTIONS, tokens: 3 })), [2, 3, 4]);
});

Deno.test("generate() ends before the end of text, without handing it out", async () => {
  const model = fake(successor);
  assert.deepEqual(await Array.fromAsync(generate(model, 16, [5], OPTIONS)), [6, 7]);
  assert.equal(model.windows.length, 3);
});

Deno.test("generate() looks at the last tokens only, once the text is longer than the window", async () => {
  const model = fake(() => 3);
  assert.deepEqual(await Array.fromAsync(generate(model, 4, [1, 2], { ...OPTIONS, tokens: 4 })), [3, 3, 3, 3]);
  assert.deepEqual(model.windows, [[1, 2, 0, 0], [1, 2, 3, 0], [1, 2, 3, 3], [2, 3, 3, 3]]);
});

Deno.test("generate() needs a prompt", async () => {
  await assert.rejects(Array.fromAsync(generate(fake(successor), 8, [], OPTIONS)), RangeError);
});

Deno.test("generationWindow() is the least multiple of 8 that holds the text, and no longer than the model's", () => {
  const windows = [1, 8, 9, 16, 17, 1000].map((tokens) => generationWindow(SMALL_MODEL, tokens));
  assert.deepEqual(windows, [8, 8, 16, 16, 16, 16]);
});

Deno.test("logits() are the same bits in a shorter window, whatever follows in a longer one", async () => {
  const engine = await createExactEngine({ threads: 1, sha256 });
  const tokens = Uint16Array.from({ length: 16 }, (_, i) => (5 * i + 3) % 24);
  const rows: Float32Array[] = [];
  for (const sequenceLength of [8, 16]) {
    const model = { ...SMALL_MODEL, sequenceLength };
    const session = await openForInference(engine, model, (weights) => {
      initializeWeights(model, 1, weights);
      return Promise.resolve();
    });
    rows.push((await session.logits(tokens.subarray(0, sequenceLength))).subarray(0, 8 * 24));
    session.close();
  }
  assert.deepEqual(rows[0], rows[1]);
  assert(rows[0]?.some((logit) => logit !== 0));
});

Deno.test("openForInference() gives the bits of a session that trains, in a fraction of its memory", async () => {
  const engine = await createExactEngine({ threads: 2, sha256 });
  const model = { ...SMALL_MODEL, vocabularySize: 1024 };
  const fill = (weights: Float32Array) => Promise.resolve(initializeWeights(model, 1, weights));
  const optimizer = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, gradientClip: 1 };
  const training = await engine.open({ model, optimizer, batchSequences: 1, gradientBlockSequences: 1 });
  await training.writeState(({ weights }) => fill(weights));
  const inference = await openForInference(engine, model, fill);
  try {
    const tokens = Uint16Array.from({ length: 5 * 17 }, (_, i) => (37 * i + 3) % 1024);
    assert.deepEqual(await inference.evaluate(tokens), await training.evaluate(tokens));
    const window = tokens.subarray(0, 16);
    assert.deepEqual(await inference.logits(window), await training.logits(window));
    assert(inference.memoryBytes < training.memoryBytes, `${inference.memoryBytes} of ${training.memoryBytes}`);
    const { weights, firstMoments, secondMoments } = await inference.readState();
    assert.deepEqual([weights.length > 0, firstMoments.length, secondMoments.length], [true, 0, 0]);
    for (const call of [() => inference.step(window, 1e-3, 0), () => inference.gradient(window)]) {
      await assert.rejects(call, { message: "The session was opened for inference only" });
    }
  } finally {
    training.close();
    inference.close();
  }
});

Deno.test("openForInference() says that an engine cannot hold a model", async () => {
  const engine = await createExactEngine({ threads: 1, sha256 });
  const model = { ...SMALL_MODEL, hiddenSize: 8192, intermediateSize: 32768, layers: 80, heads: 64 };
  await assert.rejects(openForInference(engine, model, () => Promise.resolve()), {
    name: "UserError",
    code: "MODEL_TOO_LARGE",
    message: /The engine exact cannot hold this model \(.* WebAssembly addresses 4 GiB/,
  });
});
