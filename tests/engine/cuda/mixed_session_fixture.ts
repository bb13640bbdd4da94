/** Sessions of the mixed mode on the stand-in, with random weights. */
import type { SessionOptions } from "../../../src/engine/engine.ts";
import type { MixedMemoryOptions } from "../../../src/engine/cuda/mixed/memory.ts";
import type { MixedPrecision } from "../../../src/engine/cuda/mixed/precision.ts";
import { MixedSession } from "../../../src/engine/cuda/mixed/session.ts";
import type { ModelConfig } from "../../../src/model/config.ts";
import { OPTIMIZER, randomWeights, SMALL_MODEL } from "../fixture.ts";
import { type Bench, withBench } from "./mixed_fixture.ts";

/** 64 wide, heads of 16, as neox-tiny. */
export const MODEL: ModelConfig = {
  ...SMALL_MODEL,
  hiddenSize: 64,
  heads: 4,
  layers: 3,
  intermediateSize: 256,
  vocabularySize: 104,
  sequenceLength: 40,
};

/** A training of that model. */
export function optionsOf(batchSequences: number, gradientBlockSequences: number, model = MODEL): SessionOptions {
  return { model, optimizer: OPTIMIZER, batchSequences, gradientBlockSequences };
}

/** How to open a session. */
export interface Setting extends Omit<MixedMemoryOptions, "matmuls"> {
  readonly precision?: MixedPrecision;
  /** of the order of threads and blocks */
  readonly seed?: number;
}

/** Opens a session and closes it after `use`. */
export function withSession<T>(
  options: SessionOptions,
  { precision = "bf16", seed = 0, ...memory }: Setting,
  use: (session: MixedSession, bench: Bench) => Promise<T>,
): Promise<T> {
  const { hiddenSize, heads } = options.model;
  const headSize = hiddenSize / heads as 8 | 16 | 32 | 64 | 128;
  return withBench({ precision, headSize, seed }, async (bench) => {
    const { device, kernels } = bench;
    const session = new MixedSession({ device, kernels, precision, memory }, options);
    try {
      await session.writeState(({ weights }) => weights.set(randomWeights(options.model)));
      return await use(session, bench);
    } finally {
      session.close();
    }
  });
}

/** Weights and moments of a session. */
export async function stateOf(session: MixedSession): Promise<Float32Array[]> {
  const { weights, firstMoments, secondMoments } = await session.readState();
  return [weights, firstMoments, secondMoments];
}
