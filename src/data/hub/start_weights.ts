/** Checkpoints of the hub that continued training starts from, as files of weights that `data fetch` left. */
import type { Digest } from "../../digest/sha256.ts";
import { type ErrorCode, UserError } from "../../errors.ts";
import { PAPER_CHECKPOINT_STEPS } from "../../experiment/scale/paper_units.ts";
import type { Scale } from "../../experiment/scale/scale.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import { HubCache } from "../../hub/cache.ts";
import type { ModelConfig } from "../../model/config.ts";
import { requireModel } from "../../model/require_model.ts";
import { openWeightsFile } from "../../model/weights_file.ts";
import type { DataLock } from "../data_lock.ts";
import { IMPORTED_WEIGHTS } from "./checkpoint_files.ts";
import { type LockedRepository, lockId, type NamedRepository, requirePin } from "./lock.ts";
import { namedPath } from "./named_files.ts";

/** Which checkpoints are asked for. */
export interface StartWeightsOptions {
  /** `owner/name` on the hub */
  readonly model: string;
  /** shape that the weights must be for */
  readonly shape: ModelConfig;
  /** pre-training steps after which the checkpoints were taken */
  readonly steps: readonly number[];
  /** whose commits are taken */
  readonly lock: DataLock;
  /** folder of downloads; `.cache/hub` if not given */
  readonly hubCache?: string;
}

/** A checkpoint that is here. */
export interface StartWeights {
  /** pre-training steps that it has behind it */
  readonly step: number;
  /** a file that `openWeightsFile` reads */
  readonly path: string;
  /** SHA-256 of all weights as f32, as the file states it; reading the weights compares it */
  readonly weights: Digest;
  /** commit that the lockfile pins */
  readonly revision: string;
  /** `owner/name` on the hub */
  readonly repository: string;
}

/** A model's weights after some steps of its pre-training, by the hub's revision `stepN`. */
export function checkpointRepository(model: string, step: number): NamedRepository {
  return { kind: "model", name: model, checkpoint: `step${step}` };
}

/** The checkpoints that a scale continues from, the paper's; none where it trains its own. */
export function startRepositories({ start }: Scale): NamedRepository[] {
  if (start?.kind !== "huggingface") return [];
  return PAPER_CHECKPOINT_STEPS.map((step) => checkpointRepository(start.model, step));
}

/** Where a checkpoint's imported weights are, or will be: in the folder of its commit. */
export function importedPath(cache: HubCache, locked: Pick<LockedRepository, "id" | "pin">): string {
  return namedPath(cache, locked, IMPORTED_WEIGHTS);
}

/**
 * The checkpoints that `data fetch` imported, in the order of the steps. Only headers are read. The commits are those
 * of the lockfile, as their weights lie in folders named by them.
 *
 * @throws {UserError} `NOT_LOCKED`; `DATA_NOT_FETCHED` if a file of weights is missing or is none; `OTHER_MODEL`
 */
export async function hubStartWeights(options: StartWeightsOptions): Promise<StartWeights[]> {
  const { model, shape, steps, lock } = options;
  const cache = new HubCache(options.hubCache);
  const found: StartWeights[] = [];
  for (const step of steps) {
    const named = checkpointRepository(model, step);
    const pin = requirePin(lock, named);
    const path = importedPath(cache, { id: lockId(named), pin });
    const header = await readHeader(path, lockId(named), pin.revision);
    requireModel({ name: path, model: header.model }, shape);
    found.push({ step, path, weights: header.weights, revision: pin.revision, repository: model });
  }
  return found;
}

/** What a file of weights says of itself. */
interface WeightsHeader {
  readonly model: ModelConfig;
  readonly weights: Digest;
}

/** Codes of files that are no file of weights. */
const NO_WEIGHTS: readonly ErrorCode[] = ["BAD_CHECKPOINT", "BAD_SAFETENSORS", "UNSUPPORTED_SAFETENSORS"];

/** What a file of weights says of itself; `undefined` if it is missing, cut short, or something else. */
export async function weightsHeader(path: string): Promise<WeightsHeader | undefined> {
  if ((await DENO_FILES.status(path)) === undefined) return undefined;
  try {
    const { model, digest, close } = await openWeightsFile(path);
    close();
    return { model, weights: digest };
  } catch (error) {
    if (error instanceof UserError && NO_WEIGHTS.includes(error.code)) return undefined;
    throw error;
  }
}

async function readHeader(path: string, id: string, revision: string): Promise<WeightsHeader> {
  const header = await weightsHeader(path);
  if (header !== undefined) return header;
  throw new UserError(
    "DATA_NOT_FETCHED",
    `The weights of "${id}" at ${revision.slice(0, 12)} are not in "${path}"`,
    'run "deno task data fetch --scale NAME --only start" first, with the --model and --reading that you use',
  );
}
