/**
 * The weights of a checkpoint, for use beyond its run. The plan says which model they are for: the checkpoint names
 * its run by key, and the key is the digest of the run's specification.
 */
import { shortDigest } from "../../digest/sha256.ts";
import { parseStrictJson } from "../../text/strict_json.ts";
import { UserError } from "../../errors.ts";
import type { Plan } from "../../experiment/plan/plan.ts";
import { planFromJson } from "../../experiment/plan/plan_json.ts";
import type { PlannedRun } from "../../experiment/run/run.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import { folderOf } from "../../files/durable.ts";
import type { FileSystem } from "../../files/file_system.ts";
import { readFileBounded } from "../../files/read_file.ts";
import { type ModelConfig, parameterCount } from "../../model/config.ts";
import { parameterShapes } from "../../model/parameters.ts";
import { SafetensorsFile } from "../../formats/safetensors/safetensors_file.ts";
import { bytesOf, type WeightsSource } from "../../model/weights_source.ts";
import {
  type CheckpointInfo,
  engineStateBytes,
  FIRST_MOMENT,
  parseCheckpointInfo,
  SECOND_MOMENT,
} from "./checkpoint.ts";
import { beginStateDigest } from "./state_digest.ts";

const MAX_PLAN_BYTES = 64 * 2 ** 20;

/** The weights of a run after some steps. */
export interface CheckpointWeights extends WeightsSource {
  /** what the file says of itself */
  readonly info: CheckpointInfo;
  /** the run that it belongs to */
  readonly run: PlannedRun;
  /** where that run stands */
  readonly plan: Plan;
}

/** How a checkpoint is opened. */
export interface OpenCheckpointOptions {
  /** the plan of its run; `plan.json` of the output folder that the checkpoint is in if not given */
  readonly plan?: string;
  /** what is read on; the machine's own files if not given */
  readonly files?: FileSystem;
}

/**
 * Opens a checkpoint. Its pieces, the moments' included, are checked against the state's digest, with one held at a
 * time.
 *
 * @throws {UserError} `BAD_CHECKPOINT` or `BAD_SAFETENSORS` if it is no checkpoint; `NO_PLAN` or
 * `CHECKPOINT_OF_ANOTHER_PLAN` if its run is not known
 */
export async function openCheckpoint(path: string, options: OpenCheckpointOptions = {}): Promise<CheckpointWeights> {
  const { plan: planPath = `${folderOf(path)}/../../../plan.json`, files = DENO_FILES } = options;
  const file = await SafetensorsFile.open(path, files);
  try {
    const info = parseCheckpointInfo(file.metadata, path);
    const plan = await readPlan(planPath, path, files);
    const run = plan.runs.find(({ key }) => key === info.run);
    if (run === undefined) {
      throw new UserError(
        "CHECKPOINT_OF_ANOTHER_PLAN",
        `"${path}" belongs to run ${shortDigest(info.run)}, which "${planPath}" does not have`,
        "name the plan that it was trained by with --plan FILE",
      );
    }
    const { model } = run.specification;
    requireTensors(file, model, path);
    return {
      name: path,
      model,
      info,
      run,
      plan,
      pieces: () => checkedPieces(file, model, info, path),
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

async function readPlan(path: string, checkpoint: string, files: FileSystem): Promise<Plan> {
  let bytes: Uint8Array;
  try {
    bytes = await readFileBounded(path, MAX_PLAN_BYTES, files);
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== "FILE_NOT_FOUND") throw error;
    throw new UserError(
      "NO_PLAN",
      `The model of "${checkpoint}" is in its plan, and "${path}" is not there`,
      "keep checkpoints in their output folder, or name the plan with --plan FILE",
      { cause: error },
    );
  }
  try {
    return planFromJson(parseStrictJson(bytes), path);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError("PLAN_DAMAGED", `"${path}" is not strict JSON: ${reason}`, undefined, { cause: error });
  }
}

function requireTensors(file: SafetensorsFile, model: ModelConfig, path: string): void {
  const shapes = parameterShapes(model);
  for (const prefix of ["", FIRST_MOMENT, SECOND_MOMENT]) {
    for (const { name, shape } of shapes) {
      const slot = file.slots.get(prefix + name);
      if (slot?.dtype === "F32" && slot.shape.join() === shape.join()) continue;
      throw new UserError("BAD_CHECKPOINT", `"${path}" has no f32 tensor "${prefix}${name}" of shape [${shape}]`);
    }
  }
  if (file.slots.size !== 3 * shapes.length) {
    throw new UserError("BAD_CHECKPOINT", `"${path}" has ${file.slots.size} tensors, expected ${3 * shapes.length}`);
  }
}

/** Hands out the weights and reads on over the moments, which the state's digest covers too. */
async function* checkedPieces(
  file: SafetensorsFile,
  model: ModelConfig,
  { step, dataPosition, state }: CheckpointInfo,
  path: string,
): AsyncGenerator<Float32Array<ArrayBuffer>, void> {
  const { engineState } = file.metadata;
  const hash = beginStateDigest(parameterCount(model), step, dataPosition, engineState !== undefined);
  for (const prefix of ["", FIRST_MOMENT, SECOND_MOMENT]) {
    for (const { name } of parameterShapes(model)) {
      for await (const piece of file.elements(prefix + name)) {
        hash.update(bytesOf(piece));
        if (prefix === "") yield piece;
      }
    }
  }
  if (engineState !== undefined) hash.update(engineStateBytes(engineState, path));
  const found = hash.finish();
  if (found === state) return;
  throw new UserError(
    "BAD_CHECKPOINT",
    `State of "${path}" has the digest ${shortDigest(found)}, expected ${shortDigest(state)}`,
    "the file was altered after it was written",
  );
}
