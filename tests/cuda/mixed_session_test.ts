/** Sessions of the mixed mode on the stand-in: whole models against the exact engine, repeated, resumed, overflowing. */
import assert from "node:assert/strict";
import type { SessionOptions } from "../../src/engine/engine.ts";
import type { MixedPrecision } from "../../src/engine/cuda/mixed/precision.ts";
import { MixedSession, type MixedSessionParts } from "../../src/engine/cuda/mixed/session.ts";
import { decodeLossScale, encodeLossScale } from "../../src/engine/cuda/mixed/training_state.ts";
import type { ModelConfig } from "../../src/model/config.ts";
import { parameterShapes } from "../../src/model/parameters.ts";
import { engineWith, LEARNING_RATE, OPTIMIZER, randomTokens, randomWeights, SMALL_MODEL } from "../engine/fixture.ts";
import { digestOf, ignoreWithoutCompiler as ignore, ORDER_SEEDS, relativeError, withBench } from "./mixed_fixture.ts";

/** Like neox-tiny: heads of 16. */
const MODEL: ModelConfig = {
  ...SMALL_MODEL,
  hiddenSize: 64,
  heads: 4,
  layers: 3,
  intermediateSize: 256,
  vocabularySize: 104,
  sequenceLength: 40,
};

function optionsOf(batchSequences: number, gradientBlockSequences: number, model = MODEL): SessionOptions {
  return { model, optimizer: OPTIMIZER, batchSequences, gradientBlockSequences };
}

/** Opens a session with random weights on the stand-in. */
function withSession<T>(
  options: SessionOptions,
  { precision = "bf16", seed = 0, recompute = false, scale = 1 }: {
    precision?: MixedPrecision;
    seed?: number;
    recompute?: boolean;
    scale?: number;
  },
  use: (session: MixedSession) => Promise<T>,
): Promise<T> {
  const { model } = options;
  const headSize = model.hiddenSize / model.heads as 8 | 16 | 32 | 64 | 128;
  return withBench({ precision, headSize, seed }, async ({ device, kernels }) => {
    const parts: MixedSessionParts = { device, kernels, precision, recompute };
    const session = new MixedSession(parts, options);
    try {
      await session.writeState(({ weights }) => weights.set(randomWeights(model, 1, scale)));
      return await use(session);
    } finally {
      session.close();
    }
  });
}

async function exact(options: SessionOptions, tokens: Uint16Array, windows: Uint16Array) {
  const session = await (await engineWith()).open(options);
  try {
    await session.writeState(({ weights }) => weights.set(randomWeights(options.model)));
    return {
      ...await session.gradient(tokens),
      losses: await session.evaluate(windows),
      logits: await session.logits(windows.subarray(0, options.model.sequenceLength)),
    };
  } finally {
    session.close();
  }
}

/**
 * How far a 16-bit pass may be from the exact one, as ‖difference‖ / ‖exact‖ of a tensor. A gradient passes some twenty
 * roundings (of weights, activations and gradients on the way down and up), which add up like a random walk: √20 u is
 * 1.8e-2 in bf16 (u = 2⁻⁸) and 2.2e-3 in fp16 (u = 2⁻¹¹).
 */
const BOUNDS = {
  bf16: { gradient: 3e-2, loss: 5e-4, logits: 1e-2 },
  fp16: { gradient: 5e-3, loss: 5e-5, logits: 2e-3 },
} as const;

for (const precision of ["bf16", "fp16"] as const) {
  for (const [name, model] of [["heads of 16", MODEL], ["heads of 8", SMALL_MODEL]] as const) {
    if (precision === "fp16" && model === SMALL_MODEL) continue;
    Deno.test({
      name: `MixedSession agrees with the exact engine in ${precision}, ${name}`,
      ignore,
      fn: async () => {
        const options = optionsOf(6, 2, model);
        const tokens = randomTokens(model, 6), windows = randomTokens(model, 3, 9);
        const reference = await exact(options, tokens, windows);
        await withSession(options, { precision }, async (session) => {
          const bounds = BOUNDS[precision];
          const { loss, gradient } = await session.gradient(tokens);
          assert(Math.abs(loss / reference.loss - 1) < bounds.loss, `loss ${loss}, exact ${reference.loss}`);
          const errors = parameterShapes(model).map(({ name, offset, size }) => {
            const part = (flat: Float32Array) => flat.subarray(offset, offset + size);
            return { name, error: relativeError(part(gradient), part(reference.gradient)) };
          });
          for (const { name, error } of errors) assert(error < bounds.gradient, `${name}: relative error ${error}`);
          assert(relativeError(await session.evaluate(windows), reference.losses) < bounds.loss);
          const logits = await session.logits(windows.subarray(0, model.sequenceLength));
          assert(relativeError(logits, reference.logits) < bounds.logits);
        });
      },
    });
  }
}
