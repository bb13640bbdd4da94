/**
 * Checkpoints: safetensors files with weights under Hugging Face's names, Adam's moments beside them, and metadata that
 * ties them to a run, a step, and the journal.
 */
import { canonicalJson } from "../../digest/canonical_json.ts";
import { type Digest, isDigest, shortDigest } from "../../digest/sha256.ts";
import type { TrainingState } from "../../engine/engine.ts";
import { UserError } from "../../errors.ts";
import type { RunKey } from "../../experiment/run/run.ts";
import { writeFileDurably } from "../../files/durable.ts";
import { createFileHash } from "../../files/file_digest.ts";
import type { FileSystem } from "../../files/file_system.ts";
import { readFileBounded } from "../../files/read_file.ts";
import type { ModelConfig } from "../../model/config.ts";
import { type ParameterShape, parameterShapes } from "../../model/parameters.ts";
import { parseSafetensors, toFloat32 } from "../../formats/safetensors/safetensors.ts";
import { safetensorsHeader } from "../../formats/safetensors/safetensors_header.ts";
import { maxCheckpointBytes } from "./checkpoint_size.ts";
import { type ConditionPeriod, conditionPeriodsSchema } from "../conditions.ts";

import { pieces, stateDigest } from "./state_digest.ts";

export { checkpointName, checkpointStep } from "./checkpoint_name.ts";

/** The metadata field `format` of a checkpoint. */
export const CHECKPOINT_FORMAT = "rewarm checkpoint v1";
/** What stands before a tensor's name for Adam's first moment: PyTorch's name for it. */
export const FIRST_MOMENT = "optimizer.exp_avg.";
/** And for the second. */
export const SECOND_MOMENT = "optimizer.exp_avg_sq.";

/** What a checkpoint says of itself. */
export interface CheckpointInfo {
  /** the run it belongs to */
  readonly run: RunKey;
  /** optimizer steps done */
  readonly step: number;
  /** training windows read */
  readonly dataPosition: number;
  /** digest of weights, moments, step and data position */
  readonly state: Digest;
  /** where the engine's bits depend on more than the run's key */
  readonly conditions?: readonly ConditionPeriod[];
}

/** Vectors of a state with the prefix of their tensors' names. */
function vectors(state: TrainingState): [prefix: string, vector: Float32Array][] {
  return [["", state.weights], [FIRST_MOMENT, state.firstMoments], [SECOND_MOMENT, state.secondMoments]];
}

function slice(vector: Float32Array, { offset, size }: ParameterShape): Float32Array {
  return vector.subarray(offset, offset + size);
}

/**
 * Writes a checkpoint durably: it is whole or not there.
 *
 * @returns digest of the file, taken while it was written
 * @throws {UserError} if the disk is full or access is denied
 */
export async function writeCheckpoint(
  path: string,
  model: ModelConfig,
  state: TrainingState,
  info: CheckpointInfo,
  files?: FileSystem,
): Promise<Digest> {
  const shapes = parameterShapes(model);
  const tensors = vectors(state).flatMap(([prefix, vector]) =>
    shapes.map((shape) => ({ name: prefix + shape.name, shape: shape.shape, data: slice(vector, shape) }))
  );
  const header = safetensorsHeader(tensors, {
    format: CHECKPOINT_FORMAT,
    run: info.run,
    step: String(info.step),
    dataPosition: String(info.dataPosition),
    state: info.state,
    engineState: state.engineState?.toHex(),
    conditions: info.conditions === undefined ? undefined : canonicalJson(info.conditions),
  });
  const hash = createFileHash();
  const hashed = (bytes: Uint8Array) => {
    hash.update(bytes);
    return bytes;
  };
  const contents = function* () {
    yield hashed(header);
    for (const { data } of tensors) {
      for (const piece of pieces(data)) yield hashed(piece);
    }
  };
  await writeFileDurably(path, contents(), { files });
  return hash.finish();
}

/**
 * What a checkpoint says of itself in its metadata.
 *
 * @throws {UserError} `BAD_CHECKPOINT` if it is no checkpoint
 */
export function parseCheckpointInfo(metadata: Readonly<Record<string, string>>, path: string): CheckpointInfo {
  const { format, run = "", step = "", dataPosition = "", state = "" } = metadata;
  const isCount = (text: string) => /^\d{1,15}$/.test(text);
  if (format !== CHECKPOINT_FORMAT || !isDigest(run) || !isDigest(state) || !isCount(step) || !isCount(dataPosition)) {
    throw new UserError("BAD_CHECKPOINT", `"${path}" does not say which run and step it belongs to`);
  }
  const conditions = parseConditions(metadata["conditions"], path);
  return {
    run: run as RunKey,
    step: Number(step),
    dataPosition: Number(dataPosition),
    state,
    conditions,
  };
}

function parseConditions(text: string | undefined, path: string): readonly ConditionPeriod[] | undefined {
  if (text === undefined) return undefined;
  try {
    return conditionPeriodsSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new UserError("BAD_CHECKPOINT", `"${path}" does not say under which conditions it was computed`, undefined, {
      cause: error,
    });
  }
}

/**
 * The engine's own state as a checkpoint's metadata spells it.
 *
 * @throws {UserError} `BAD_CHECKPOINT` if it is no hexadecimal text
 */
export function engineStateBytes(text: string, path: string): Uint8Array {
  if (/^(?:[0-9a-f]{2})*$/.test(text)) return Uint8Array.fromHex(text);
  throw new UserError("BAD_CHECKPOINT", `The engine's own state in "${path}" is no bytes`);
}

/** Copies the engine's own state, which must have the form that this engine gives it. */
function loadEngineState(text: string | undefined, { engineState }: TrainingState, path: string): void {
  const expected = engineState === undefined ? "none" : `${engineState.length} bytes`;
  const isHex = text === undefined || /^(?:[0-9a-f]{2})*$/.test(text);
  const found = text === undefined ? "none" : isHex ? `${text.length / 2} bytes` : "no bytes";
  if (found !== expected) {
    throw new UserError(
      "BAD_CHECKPOINT",
      `The engine's own state in "${path}" is ${found}, expected ${expected}`,
      "another engine made the checkpoint, or the file was altered",
    );
  }
  if (text !== undefined) engineState?.set(Uint8Array.fromHex(text));
}

/** What the reader of a checkpoint knows of it: the run, the step, the state's digest from the journal. */
export interface ExpectedCheckpoint {
  readonly run: RunKey;
  /** optimizer steps done */
  readonly step: number;
  readonly state?: Digest;
}

/**
 * Loads a checkpoint into an engine's state, and checks every bit of it against the digest it carries.
 *
 * @throws {UserError} `BAD_CHECKPOINT` or `BAD_SAFETENSORS` if it is cut short, altered, or another run's
 */
export async function readCheckpoint(
  path: string,
  model: ModelConfig,
  state: TrainingState,
  expected: ExpectedCheckpoint,
  files?: FileSystem,
): Promise<CheckpointInfo> {
  return loadCheckpoint(
    await readFileBounded(path, maxCheckpointBytes(model), files),
    path,
    model,
    state,
    expected,
  );
}

/** As {@linkcode readCheckpoint}, with the digest of the file. */
export async function readAndDigestCheckpoint(
  ...[path, model, state, expected, files]: Parameters<typeof readCheckpoint>
): Promise<{ readonly info: CheckpointInfo; readonly file: Digest }> {
  const bytes = await readFileBounded(path, maxCheckpointBytes(model), files);
  const info = loadCheckpoint(bytes, path, model, state, expected);
  const hash = createFileHash();
  hash.update(bytes);
  return { info, file: hash.finish() };
}

/**
 * As {@linkcode readCheckpoint}, from the bytes of the file.
 *
 * @param path how messages name the file
 */
export function loadCheckpoint(
  bytes: Uint8Array<ArrayBuffer>,
  path: string,
  model: ModelConfig,
  state: TrainingState,
  expected: ExpectedCheckpoint,
): CheckpointInfo {
  const { tensors, metadata } = parseSafetensors(bytes, path);
  const info = parseCheckpointInfo(metadata, path);
  if (info.run !== expected.run || info.step !== expected.step) {
    throw new UserError(
      "BAD_CHECKPOINT",
      `"${path}" holds step ${info.step} of run ${shortDigest(info.run)}, expected step ${expected.step} of run ` +
        shortDigest(expected.run),
    );
  }
  const shapes = parameterShapes(model);
  for (const [prefix, vector] of vectors(state)) {
    for (const shape of shapes) {
      const name = prefix + shape.name;
      const entry = tensors.get(name);
      if (entry === undefined || entry.dtype !== "F32" || entry.shape.join() !== shape.shape.join()) {
        throw new UserError("BAD_CHECKPOINT", `"${path}" has no f32 tensor "${name}" of shape [${shape.shape}]`);
      }
      vector.set(toFloat32(entry), shape.offset);
    }
  }
  if (tensors.size !== 3 * shapes.length) {
    throw new UserError("BAD_CHECKPOINT", `"${path}" has ${tensors.size} tensors, expected ${3 * shapes.length}`);
  }
  loadEngineState(metadata["engineState"], state, path);
  const found = stateDigest(state, info.step, info.dataPosition);
  if (found !== info.state || (expected.state !== undefined && found !== expected.state)) {
    throw new UserError(
      "BAD_CHECKPOINT",
      `State of "${path}" has the digest ${shortDigest(found)}, expected ${shortDigest(expected.state ?? info.state)}`,
      "the file was altered after it was written",
    );
  }
  return info;
}
