/** Where a model's weights come from: a file, a folder, a checkpoint. Read piece by piece, so that none is held whole. */
import type { Digest } from "../digest/sha256.ts";
import { createFileHash } from "../files/file_digest.ts";
import { type ModelConfig, parameterCount } from "./config.ts";

/** Weights that can be read again and again. Close it. */
export interface WeightsSource {
  /** how messages name it */
  readonly name: string;
  /** shape that the weights are for */
  readonly model: ModelConfig;
  /**
   * All weights as f32, flat in the order of `parameterShapes`. A piece is good until the next one. Where the source says which bits it holds, they are
   * compared after the last piece.
   *
   * @throws {UserError} if the source cannot be read, is cut short, or holds other bits than it says
   */
  pieces(): AsyncIterable<Float32Array<ArrayBuffer>>;
  /** Frees what is open. */
  close(): void;
}

/** A piece's little-endian bytes, without a copy. */
export function bytesOf(piece: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
}

/** SHA-256 of all weights as f32, little-endian, flat in the order of `parameterShapes`: what the model computes by. */
export async function weightsDigest(source: WeightsSource): Promise<Digest> {
  const hash = createFileHash();
  for await (const piece of source.pieces()) hash.update(bytesOf(piece));
  return hash.finish();
}

/**
 * Copies all weights into an engine's vector, or any other.
 *
 * @param weights receives `parameterCount(source.model)` elements; if it throws, some of them
 */
export async function readWeights(
  source: Pick<WeightsSource, "model" | "pieces">,
  weights: Float32Array,
): Promise<void> {
  const expected = parameterCount(source.model);
  if (weights.length !== expected) {
    throw new RangeError(`A vector of ${weights.length} elements for a model of ${expected} parameters`);
  }
  let offset = 0;
  for await (const piece of source.pieces()) {
    weights.set(piece, offset);
    offset += piece.length;
  }
}
