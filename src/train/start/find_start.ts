/** The models that a plan's continued runs start from: those that the hub gave, or the user's own. */
import { readDataLock } from "../../data/data_lock.ts";
import { hubStartWeights } from "../../data/hub/start_weights.ts";
import type { Digest } from "../../digest/sha256.ts";
import { UserError } from "../../errors.ts";
import { PAPER_CHECKPOINT_STEPS, PAPER_PRETRAINING_STEPS } from "../../experiment/scale/paper_units.ts";
import type { Scale } from "../../experiment/scale/scale.ts";
import type { ImportedCheckpoint, StartChoice } from "../../experiment/arm/start.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import { nameOf } from "../../files/durable.ts";
import { fileError } from "../../files/file_error.ts";
import type { FileSystem } from "../../files/file_system.ts";
import { weightsDigest, type WeightsSource } from "../../model/weights_source.ts";
import { requireModel } from "../../model/require_model.ts";
import type { OpenImported } from "../checkpoint/imported_weights.ts";
import { openWeights } from "../checkpoint/open_weights.ts";

/** Where models are looked for. */
export interface StartOptions {
  /**
   * its path names a model as `openWeights` takes it, which stands for the end of pre-training; or a folder of such with
   * the names `step10000`, `step27000`, `step143000`. Without it, what `data fetch` imported for the scale
   */
  readonly start?: StartChoice;
  /** the lockfile; the project's own if absent */
  readonly lockFile?: string;
  /** folder of downloads; `.cache/hub` if absent */
  readonly hubCache?: string;
}

/** Models that were found. */
export interface FoundStart {
  /** ascending by step */
  readonly checkpoints: readonly ImportedCheckpoint[];
  /** opens one of them */
  readonly open: OpenImported;
}

/**
 * Finds the models that a scale's continued runs start from.
 *
 * @returns undefined where the scale trains its own
 * @throws {UserError} `NO_START_CHECKPOINT`, `OTHER_MODEL`, `NOT_LOCKED`, `DATA_NOT_FETCHED`; as `openWeights` throws
 */
export async function findStart(
  scale: Scale,
  options: StartOptions,
  files: FileSystem = DENO_FILES,
): Promise<FoundStart | undefined> {
  const { start } = scale;
  if (start === undefined || start.kind === "train") return undefined;
  if (start.kind === "huggingface") return await hubStart(scale, start.model, options);
  if (typeof options.start !== "object") {
    throw new UserError(
      "NO_START_CHECKPOINT",
      "The runs start from models of their maker's own, and none is given",
      "name their folder with --start",
    );
  }
  return await pathStart(scale, options.start.path, files);
}

async function hubStart(scale: Scale, model: string, { lockFile, hubCache }: StartOptions): Promise<FoundStart> {
  const found = await hubStartWeights({
    model,
    shape: scale.model.config,
    steps: PAPER_CHECKPOINT_STEPS,
    lock: await readDataLock(lockFile),
    hubCache,
  });
  return toStart(found.map(({ step, weights, path, repository, revision }) => ({
    step,
    weights,
    path,
    origin: `huggingface:${repository}@${revision}`,
  })));
}

async function pathStart(scale: Scale, path: string, files: FileSystem): Promise<FoundStart> {
  const inside = await stepsInside(path, files);
  const models = inside.length > 0 ? inside : [{ step: PAPER_PRETRAINING_STEPS, path }];
  const checkpoints = [];
  // The path of a folder on its maker's machine stays private.
  const origin = (path: string) => `file:${nameOf(path.replace(/(?<=.)[/\\]+$/, ""))}`;
  for (const model of models) {
    const { source } = await openWeights(model.path, { files });
    try {
      requireModel(source, scale.model.config);
      checkpoints.push({ ...model, weights: await digestOf(source), origin: origin(model.path) });
    } finally {
      source.close();
    }
  }
  return toStart(checkpoints);
}

/** What a file says of its own weights, which reading them compares; else the digest of what is read. */
async function digestOf(source: WeightsSource & { readonly digest?: Digest }): Promise<Digest> {
  return source.digest ?? await weightsDigest(source);
}

/** Models in a folder by their names: `step143000`, or a file such as `step143000.safetensors`; ascending. */
async function stepsInside(path: string, files: FileSystem): Promise<{ step: number; path: string }[]> {
  const base = path.replace(/(?<=.)\/+$/, "");
  try {
    if ((await files.status(await files.realPath(base)))?.kind !== "folder") return [];
    return (await files.readFolder(base)).flatMap((name) => {
      const step = /^step([1-9]\d{0,8})(\.safetensors)?$/.exec(name)?.[1];
      return step === undefined ? [] : [{ step: Number(step), path: `${base}/${name}` }];
    }).sort((a, b) => a.step - b.step);
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

function toStart(found: readonly (ImportedCheckpoint & { readonly path: string })[]): FoundStart {
  const twice = found.find(({ step }, i) => found[i + 1]?.step === step);
  if (twice !== undefined) {
    throw new UserError("DUPLICATE_SOURCE", `Step ${twice.step} is given twice`, `remove one of "${twice.path}…"`);
  }
  const paths = new Map(found.map(({ weights, path }) => [weights, path]));
  return {
    checkpoints: found.map(({ step, weights, origin }) => ({ step, weights, origin })),
    open: async (weights) => {
      const path = paths.get(weights);
      return path === undefined ? undefined : (await openWeights(path)).source;
    },
  };
}
