/** The digest of a training state: what two runs compare to know that they are the same bits so far. */
import { createSha256, type Digest } from "../digest/sha256.ts";
import type { TrainingState } from "../engine/engine.ts";

const DOMAIN = "rewarm state v1\n";

/** Bytes handed to the hash at a time, since engine memory may be shared and hashes want memory of their own. */
const PIECE_BYTES = 1 << 20;

/**
 * SHA-256 over `"rewarm state v1\n"`, steps done (u64), training windows read (u64), parameters (u64), weights, first
 * and second moments (f32 each, flat in the order of `parameterShapes`); all little-endian.
 *
 * @param step optimizer steps done
 * @param dataPosition training windows read: step · batchSequences
 */
export async function stateDigest(state: TrainingState, step: number, dataPosition: number): Promise<Digest> {
  const hash = await createSha256();
  const numbers = new DataView(new ArrayBuffer(24));
  [step, dataPosition, state.weights.length].forEach((value, i) => numbers.setBigUint64(8 * i, BigInt(value), true));
  hash.update(new TextEncoder().encode(DOMAIN)).update(new Uint8Array(numbers.buffer));
  for (const vector of [state.weights, state.firstMoments, state.secondMoments]) {
    for (const piece of pieces(vector)) hash.update(piece);
  }
  return hash.finish();
}

/** The bytes of a vector, copied piece by piece. */
export function* pieces(vector: Float32Array): Generator<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
  for (let offset = 0; offset < bytes.length; offset += PIECE_BYTES) {
    yield bytes.slice(offset, offset + PIECE_BYTES) as Uint8Array<ArrayBuffer>;
  }
}
