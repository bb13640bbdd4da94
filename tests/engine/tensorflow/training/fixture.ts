/** Sessions of the TensorFlow engine beside sessions of the exact one; the packages must be installed. */
import type { Session, SessionOptions } from "../../../../src/engine/engine.ts";
import { createTensorFlowEngine } from "../../../../src/engine/tensorflow/engine.ts";
import { installedPackages } from "../../../../src/engine/tensorflow/packages.ts";
import type { Backend } from "../../../../src/engine/tensorflow/backend.ts";
import { chooseBackend } from "../../../../src/engine/tensorflow/choice.ts";
import type { ModelConfig } from "../../../../src/model/config.ts";
import { engineWith, OPTIMIZER } from "../../fixture.ts";

/** Shape of the model that PyTorch's reference values are of. */
export const NEOX_TINY: ModelConfig = {
  hiddenSize: 64,
  layers: 2,
  heads: 4,
  intermediateSize: 256,
  vocabularySize: 512,
  sequenceLength: 32,
  rotaryFraction: 0.25,
  rotaryBase: 10000,
  layerNormEpsilon: 1e-5,
};

/** Shape of the smoke scale. */
export const SMOKE: ModelConfig = {
  ...NEOX_TINY,
  hiddenSize: 16,
  heads: 2,
  intermediateSize: 64,
  vocabularySize: 256,
};

/** A training of a model, four sequences a step. */
export function trainingOf(model: ModelConfig, batchSequences = 4): SessionOptions {
  return { model, optimizer: OPTIMIZER, batchSequences, gradientBlockSequences: 1 };
}

/** A backend of the packages that are installed. */
export async function backendNamed(name: string): Promise<Backend> {
  return (await chooseBackend(installedPackages(), name)).backend;
}

/** Opens a session on a backend, runs `use` and closes it. */
export async function withTensorFlow<T>(
  options: SessionOptions,
  use: (session: Session) => Promise<T>,
  backend = "wasm",
): Promise<T> {
  const session = await (await createTensorFlowEngine({ backend })).open(options);
  try {
    return await use(session);
  } finally {
    session.close();
  }
}

/** Opens a session of either engine. */
export async function withBoth(
  options: SessionOptions,
  use: (tensorflow: Session, exact: Session) => Promise<void>,
  backend = "wasm",
): Promise<void> {
  const exact = await (await engineWith()).open(options);
  try {
    await withTensorFlow(options, (tensorflow) => use(tensorflow, exact), backend);
  } finally {
    exact.close();
  }
}

/** ‖a − b‖ / ‖b‖ */
export function relativeError(actual: Float32Array, expected: Float32Array): number {
  let difference = 0, norm = 0;
  expected.forEach((value, i) => {
    difference += ((actual[i] ?? NaN) - value) ** 2;
    norm += value ** 2;
  });
  return Math.sqrt(difference / norm);
}
