/**
 * Both digests of a checkpoint in one reading: that of the file, which a manifest names, and that of the state in it,
 * which the journal records. A checkpoint may have gigabytes; a piece is held at a time.
 */
import { type Digest, shortDigest } from "../../digest/sha256.ts";
import { UserError } from "../../errors.ts";
import { createFileHash, type FileHash } from "../../files/file_digest.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import { fileError } from "../../files/file_error.ts";
import type { FileSystem } from "../../files/file_system.ts";
import { readChunks } from "../../files/read_file.ts";
import { type ModelConfig, parameterCount } from "../../model/config.ts";
import { parameterShapes } from "../../model/parameters.ts";
import {
  LENGTH_BYTES,
  parseSafetensorsHeader,
  readHeaderLength,
  type SafetensorsHeader,
} from "../../formats/safetensors/safetensors_header.ts";
import {
  type CheckpointInfo,
  engineStateBytes,
  FIRST_MOMENT,
  parseCheckpointInfo,
  SECOND_MOMENT,
} from "./checkpoint.ts";
import { maxCheckpointBytes } from "./checkpoint_size.ts";
import { beginStateDigest } from "./state_digest.ts";

/** What a checkpoint is and says. */
export interface CheckpointDigests {
  /** of the file's bytes */
  readonly file: Digest;
  /** what it says of itself; `state` is the digest of what it holds */
  readonly info: CheckpointInfo;
}

/**
 * Reads a checkpoint once, for both digests.
 *
 * @throws {UserError} `BAD_CHECKPOINT` or `BAD_SAFETENSORS` if it is none of this model, or holds another state than it
 * says; as {@linkcode readChunks}
 */
export async function digestCheckpoint(
  path: string,
  model: ModelConfig,
  files: FileSystem = DENO_FILES,
): Promise<CheckpointDigests> {
  const size = await sizeOf(path, files);
  if (size > maxCheckpointBytes(model)) {
    throw new UserError("BAD_CHECKPOINT", `"${path}" has ${size} bytes, more than a checkpoint of its model can have`);
  }
  const file = createFileHash();
  let head: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  let contents:
    | { readonly info: CheckpointInfo; readonly header: SafetensorsHeader; readonly hash: FileHash }
    | undefined;
  for await (const bytes of readChunks(path, files)) {
    file.update(bytes);
    if (contents !== undefined) {
      contents.hash.update(bytes);
      continue;
    }
    head = concatenated(head, bytes);
    if (head.length < Math.min(LENGTH_BYTES, size)) continue;
    const end = LENGTH_BYTES + readHeaderLength(head, size, path);
    if (head.length < end) continue;
    const header = parseSafetensorsHeader(head.subarray(LENGTH_BYTES, end), size - end, path);
    requireWrittenOrder(header, model, path);
    const info = parseCheckpointInfo(header.metadata, path);
    const hasEngineState = header.metadata["engineState"] !== undefined;
    const hash = beginStateDigest(parameterCount(model), info.step, info.dataPosition, hasEngineState);
    hash.update(head.subarray(end));
    contents = { info, header, hash };
  }
  if (contents === undefined) throw new UserError("BAD_CHECKPOINT", `"${path}" ends within its header`);
  const { info, header, hash } = contents;
  const { engineState } = header.metadata;
  if (engineState !== undefined) hash.update(engineStateBytes(engineState, path));
  const state = hash.finish();
  if (state !== info.state) {
    throw new UserError(
      "BAD_CHECKPOINT",
      `State of "${path}" has the digest ${shortDigest(state)}, expected ${shortDigest(info.state)}`,
      "the file was altered after it was written",
    );
  }
  return { file: file.finish(), info };
}

async function sizeOf(path: string, files: FileSystem): Promise<number> {
  try {
    return (await files.status(await files.realPath(path)))?.bytes ?? 0;
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

/** Checkpoints are written in one order, that of the state's digest: weights, first moments, second moments. */
function requireWrittenOrder({ slots }: SafetensorsHeader, model: ModelConfig, path: string): void {
  const shapes = parameterShapes(model);
  const expected = ["", FIRST_MOMENT, SECOND_MOMENT].flatMap((prefix) =>
    shapes.map(({ name, shape }) => ({ name: prefix + name, shape }))
  );
  const found = [...slots].sort(([, a], [, b]) => a.begin - b.begin);
  const isSame = found.length === expected.length && expected.every(({ name, shape }, index) => {
    const [foundName, slot] = found[index] ?? [];
    return foundName === name && slot?.dtype === "F32" && slot.shape.join() === shape.join();
  });
  if (isSame) return;
  throw new UserError("BAD_CHECKPOINT", `"${path}" does not hold the tensors of its model in their order`);
}

function concatenated(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
