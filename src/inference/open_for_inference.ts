/** A session that computes by given weights and is not trained: for logits and losses. */
import { UserError } from "../errors.ts";
import type { OptimizerSpecification } from "../experiment/run/run.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Engine, Session, SessionOptions } from "../engine/engine.ts";

/** Without an update no number of the optimizer is looked at. */
const NO_UPDATES: OptimizerSpecification = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, gradientClip: 1 };

/**
 * Opens a session and fills its weights.
 *
 * @param fill writes all weights, flat in the order of `parameterShapes`
 * @throws {UserError} `MODEL_TOO_LARGE` if the engine cannot hold the model; as `fill` throws
 */
export async function openForInference(
  engine: Engine,
  model: ModelConfig,
  fill: (weights: Float32Array) => Promise<void>,
): Promise<Session> {
  const options: SessionOptions = {
    model,
    optimizer: NO_UPDATES,
    batchSequences: 1,
    gradientBlockSequences: 1,
    inferenceOnly: true,
  };
  try {
    engine.memoryBytes(options);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UserError("MODEL_TOO_LARGE", `The engine ${engine.name} cannot hold this model (${error.message})`);
  }
  const session = await engine.open(options);
  try {
    await session.writeState(({ weights }) => fill(weights));
    return session;
  } catch (error) {
    session.close();
    throw error;
  }
}
