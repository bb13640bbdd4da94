/** The digest of a training state: what two runs compare to know that they are the same bits so far. */
import type { Digest } from "../../digest/sha256.ts";
import type { TrainingState } from "../../engine/engine.ts";
import { createFileHash, type FileHash } from "../../files/file_digest.ts";

const DOMAIN = "rewarm state v1\n";
/** Where an engine keeps a state of its own, its bytes are the last of what is hashed. */
const DOMAIN_WITH_ENGINE_STATE = "rewarm state with engine state v1\n";

/** Bytes handed to the hash at a time, since engine memory may be shared and hashes want memory of their own. */
const PIECE_BYTES = 1 << 20;

/**
 * SHA-256 over `"rewarm state v1\n"`, steps done (u64), training windows read (u64), parameters (u64), weights, first
 * and second moments (f32 each, flat in the order of `parameterShapes`); all little-endian. With an engine's own state
 * the domain is `"rewarm state with engine state v1\n"`, and the state's bytes follow at the end.
 *
 * @param step optimizer steps done
 * @param dataPosition training windows read: step · batchSequences
 */
export function stateDigest(state: TrainingState, step: number, dataPosition: number): Digest {
  const { engineState, weights } = state;
  const hash = beginStateDigest(weights.length, step, dataPosition, engineState !== undefined);
  for (const vector of [weights, state.firstMoments, state.secondMoments]) {
    for (const piece of pieces(vector)) hash.update(piece);
  }
  if (engineState !== undefined) hash.update(engineState);
  return hash.finish();
}

/**
 * The same for a state that is read piece by piece: what is hashed before the weights. The rest is the caller's to add.
 *
 * @param parameters elements of each vector
 * @param hasEngineState whether an engine's own state follows the moments
 */
export function beginStateDigest(
  parameters: number,
  step: number,
  dataPosition: number,
  hasEngineState: boolean,
): FileHash {
  const numbers = new DataView(new ArrayBuffer(24));
  [step, dataPosition, parameters].forEach((value, i) => numbers.setBigUint64(8 * i, BigInt(value), true));
  const hash = createFileHash();
  hash.update(new TextEncoder().encode(hasEngineState ? DOMAIN_WITH_ENGINE_STATE : DOMAIN));
  hash.update(new Uint8Array(numbers.buffer));
  return hash;
}

/** The bytes of a vector, copied piece by piece. */
export function* pieces(vector: Float32Array): Generator<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
  for (let offset = 0; offset < bytes.length; offset += PIECE_BYTES) {
    yield bytes.slice(offset, offset + PIECE_BYTES) as Uint8Array<ArrayBuffer>;
  }
}
