/** Weights that others trained, as training finds them: by the digest that a run's specification names. */
import { type Digest, shortDigest } from "../../digest/sha256.ts";
import { createFileHash } from "../../files/file_digest.ts";
import type { TrainingState } from "../../engine/engine.ts";
import { UserError } from "../../errors.ts";
import type { ModelConfig } from "../../model/config.ts";
import { requireModel } from "../../model/require_model.ts";
import { bytesOf, type WeightsSource } from "../../model/weights_source.ts";

/** Opens the weights with a digest; undefined if they are not at hand. The caller closes them. */
export type OpenImported = (weights: Digest) => Promise<WeightsSource | undefined>;

/**
 * Fills a state's weights with imported ones and leaves everything else alone.
 *
 * @param run how messages name the run
 * @throws {UserError} `NO_START_CHECKPOINT` if they are not at hand, `OTHER_MODEL`, `DIGEST_MISMATCH`
 */
export async function loadImported(
  state: TrainingState,
  { run, model, weights }: { readonly run: string; readonly model: ModelConfig; readonly weights: Digest },
  open: OpenImported | undefined,
): Promise<void> {
  const source = await open?.(weights);
  if (source === undefined) {
    throw new UserError(
      "NO_START_CHECKPOINT",
      `Run "${run}" starts from weights ${shortDigest(weights)}, which are not at hand`,
      'give their folder with --start, or fetch them with "deno task data fetch"',
    );
  }
  try {
    requireModel(source, model);
    const hash = createFileHash();
    let offset = 0;
    for await (const piece of source.pieces()) {
      hash.update(bytesOf(piece));
      state.weights.set(piece, offset);
      offset += piece.length;
    }
    const found = hash.finish();
    if (found === weights) return;
    throw new UserError(
      "DIGEST_MISMATCH",
      `Weights of "${source.name}" have the digest ${shortDigest(found)}, and run "${run}" starts from ${
        shortDigest(weights)
      }`,
      "they were changed since they were planned with; restore them",
    );
  } finally {
    source.close();
  }
}
