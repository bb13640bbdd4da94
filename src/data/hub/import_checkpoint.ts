/** A checkpoint as it came from the hub into one file of weights, once for all runs. */
import type { Digest } from "../../digest/sha256.ts";
import { folderOf, removeLeftovers } from "../../files/durable.ts";
import type { HubCache } from "../../hub/cache.ts";
import { freeBytes, requireSpace } from "../../hub/disk_space.ts";
import { type ModelConfig, parameterCount } from "../../model/config.ts";
import { openHuggingFaceFolder } from "../../model/hugging_face_folder.ts";
import { requireModel } from "../../model/require_model.ts";
import { writeWeightsFile } from "../../model/weights_file.ts";
import type { WeightsSource } from "../../model/weights_source.ts";
import type { LockedRepository } from "./lock.ts";
import { importedPath, weightsHeader } from "./start_weights.ts";

/** How {@linkcode importCheckpoint} works. */
export interface ImportOptions {
  /** stops it between two pieces of a tensor */
  readonly signal?: AbortSignal;
  /** called along the way: bytes of f32 read so far, of all that two readings give */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** called once if another process imports the same */
  readonly onWait?: () => void;
  /** import again what is there already */
  readonly again?: boolean;
  /** bytes free on the cache's disk; asked of the system if not given */
  readonly freeBytes?: number;
}

/** What {@linkcode importCheckpoint} did. */
export interface ImportedCheckpoint {
  /** where the weights are: {@linkcode importedPath} */
  readonly path: string;
  /** SHA-256 of all weights as f32, flat */
  readonly weights: Digest;
  /** whether it was there before */
  readonly wasThere: boolean;
}

/** Bytes that a model's weights take as f32, but for a header of some kilobytes. */
export function importedBytes(model: ModelConfig): number {
  return 4 * parameterCount(model);
}

/**
 * Imports a checkpoint whose files have their names in the cache. It is done in one piece: what was interrupted leaves
 * nothing and begins anew.
 *
 * @param shape that of the scale's model
 * @throws {UserError} `OTHER_MODEL` before anything is written, `NO_SPACE`, and as `openHuggingFaceFolder` throws
 */
export async function importCheckpoint(
  cache: HubCache,
  locked: LockedRepository,
  shape: ModelConfig,
  options: ImportOptions = {},
): Promise<ImportedCheckpoint> {
  const { signal, onWait = () => {} } = options;
  const path = importedPath(cache, locked);
  const folder = folderOf(path);
  const use = async (): Promise<ImportedCheckpoint> => {
    const header = options.again === true ? undefined : await weightsHeader(path);
    if (header !== undefined) {
      requireModel({ name: path, model: header.model }, shape);
      return { path, weights: header.weights, wasThere: true };
    }
    const source = await openHuggingFaceFolder(folder);
    try {
      requireModel(source, shape);
      await removeLeftovers(folder, cache.files);
      requireSpace(cache.folder, importedBytes(shape), options.freeBytes ?? await freeBytes(cache.folder));
      return { path, weights: await writeWeightsFile(path, watched(source, options), cache.files), wasThere: false };
    } finally {
      source.close();
    }
  };
  return await cache.exclusively(locked.pin.listing, use, onWait, signal);
}

/** A source that reports how far it was read, and that a signal stops. */
function watched(source: WeightsSource, { signal, onProgress }: ImportOptions): WeightsSource {
  const total = 2 * importedBytes(source.model);
  let done = 0;
  return {
    name: source.name,
    model: source.model,
    close: () => source.close(),
    async *pieces() {
      for await (const piece of source.pieces()) {
        signal?.throwIfAborted();
        yield piece;
        done += piece.byteLength;
        onProgress?.(done, total);
      }
    },
  };
}
