/**
 * rewarm's own file of weights: safetensors in f32, tensors in the order of `parameterShapes`, with the model's shape
 * and the digest of all weights in its metadata. The bytes after the header are the weights, flat, as the digest has
 * them.
 */
import { canonicalJson } from "../digest/canonical_json.ts";
import { type Digest, isDigest, shortDigest } from "../digest/sha256.ts";
import { createFileHash } from "../files/file_digest.ts";
import { parseStrictJson } from "../text/strict_json.ts";
import { UserError } from "../errors.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import { writeFileDurably } from "../files/durable.ts";
import type { FileSystem } from "../files/file_system.ts";
import type { ModelConfig } from "./config.ts";
import { findTensors } from "./hugging_face_tensors.ts";
import { modelSchema } from "./model_schema.ts";
import { parameterShapes } from "./parameters.ts";
import { SafetensorsFile } from "../formats/safetensors/safetensors_file.ts";
import { safetensorsHeader } from "../formats/safetensors/safetensors_header.ts";
import { bytesOf, weightsDigest, type WeightsSource } from "./weights_source.ts";

/** The metadata field `format` of such a file. */
export const WEIGHTS_FORMAT = "rewarm weights v1";

/** Weights that say which bits they are. */
export interface WeightsFile extends WeightsSource {
  /** SHA-256 of all weights as f32, flat */
  readonly digest: Digest;
}

/**
 * Writes a file of weights durably: it is whole or not there. The source is read twice, so that nothing of it is held.
 *
 * @returns SHA-256 of all weights as f32, flat
 * @throws {UserError} `WEIGHTS_CHANGED` if the second reading gave other bits than the first
 */
export async function writeWeightsFile(
  path: string,
  source: WeightsSource,
  files: FileSystem = DENO_FILES,
): Promise<Digest> {
  const digest = await weightsDigest(source);
  const header = safetensorsHeader(parameterShapes(source.model), {
    format: WEIGHTS_FORMAT,
    model: canonicalJson(source.model),
    weights: digest,
  });
  const contents = async function* () {
    yield header;
    const hash = createFileHash();
    for await (const piece of source.pieces()) {
      hash.update(bytesOf(piece));
      yield bytesOf(piece);
    }
    if (hash.finish() !== digest) {
      throw new UserError("WEIGHTS_CHANGED", `"${source.name}" changed while it was read`, "give the command again");
    }
  };
  await writeFileDurably(path, contents(), { files });
  return digest;
}

/**
 * Opens a file of weights.
 *
 * @throws {UserError} `BAD_CHECKPOINT` or `BAD_SAFETENSORS` if it is no such file; other bits than it says are found
 * when its pieces are read
 */
export async function openWeightsFile(path: string, files: FileSystem = DENO_FILES): Promise<WeightsFile> {
  const file = await SafetensorsFile.open(path, files);
  try {
    const { format, weights: digest = "", model: text = "" } = file.metadata;
    if (format !== WEIGHTS_FORMAT || !isDigest(digest)) throw notWeights(path);
    const model = parseModel(text, path);
    const order = findTensors(file.slots, model, path);
    return {
      name: path,
      model,
      digest,
      close: () => file.close(),
      async *pieces() {
        const hash = createFileHash();
        for (const name of order) {
          for await (const piece of file.elements(name)) {
            hash.update(bytesOf(piece));
            yield piece;
          }
        }
        const found = hash.finish();
        if (found !== digest) throw otherBits(path, found, digest);
      },
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

function parseModel(text: string, path: string): ModelConfig {
  let value: unknown;
  try {
    value = parseStrictJson(new TextEncoder().encode(text));
  } catch {
    throw notWeights(path);
  }
  const parsed = modelSchema.safeParse(value);
  if (!parsed.success) throw notWeights(path);
  return parsed.data;
}

function notWeights(path: string): UserError {
  return new UserError(
    "BAD_CHECKPOINT",
    `"${path}" does not say which model its weights are for`,
    'give a file that "deno task import" wrote',
  );
}

function otherBits(path: string, found: Digest, expected: Digest): UserError {
  return new UserError(
    "BAD_CHECKPOINT",
    `Weights of "${path}" have the digest ${shortDigest(found)}, expected ${shortDigest(expected)}`,
    "the file was altered after it was written; import it again",
  );
}
