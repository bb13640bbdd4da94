/** Weights in an engine for the length of a command: for `sample` and `evaluate`. */
import type { Digest } from "../digest/sha256.ts";
import { createFileHash } from "../files/file_digest.ts";
import type { EngineValues } from "../engine/catalogue.ts";
import type { Session } from "../engine/engine.ts";
import { openForInference } from "../inference/open_for_inference.ts";
import type { ModelConfig } from "../model/config.ts";
import { bytesOf, readWeights, type WeightsSource } from "../model/weights_source.ts";
import { startEngine } from "./start_engine.ts";

/**
 * Starts the engine that options name, fills a session with weights, and ends both after `use`.
 *
 * @param model the source's own, or that with a shorter window
 * @param use is given the session and the digest of the weights in it, as `weightsDigest` makes it
 */
export async function withSession(
  values: EngineValues,
  source: WeightsSource,
  model: ModelConfig,
  use: (session: Session, weights: Digest) => Promise<void>,
): Promise<void> {
  const engine = await startEngine(values);
  try {
    const hash = createFileHash();
    const hashed: Pick<WeightsSource, "model" | "pieces"> = {
      model: source.model,
      async *pieces() {
        for await (const piece of source.pieces()) {
          hash.update(bytesOf(piece));
          yield piece;
        }
      },
    };
    const session = await openForInference(engine, model, (weights) => readWeights(hashed, weights));
    try {
      await use(session, hash.finish());
    } finally {
      session.close();
    }
  } finally {
    engine.close?.();
  }
}
