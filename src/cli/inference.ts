/** Weights in an engine for the length of a command: for `sample` and `evaluate`. */
import type { Session } from "../engine/engine.ts";
import { openForInference } from "../engine/inference.ts";
import type { ModelConfig } from "../model/config.ts";
import { readWeights, type WeightsSource } from "../model/weights_source.ts";
import { type EngineValues, startEngine } from "./engines.ts";

/**
 * Starts the engine that options name, fills a session with weights, and ends both after `use`.
 *
 * @param model the source's own, or that with a shorter window
 */
export async function withSession(
  values: EngineValues,
  source: WeightsSource,
  model: ModelConfig,
  use: (session: Session) => Promise<void>,
): Promise<void> {
  const engine = await startEngine(values);
  try {
    const session = await openForInference(engine, model, (weights) => readWeights(source, weights));
    try {
      await use(session);
    } finally {
      session.close();
    }
  } finally {
    engine.close?.();
  }
}
