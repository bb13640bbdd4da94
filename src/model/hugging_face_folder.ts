/**
 * A folder as Hugging Face's hub holds a model: `config.json`, and `model.safetensors` or the shards that
 * `model.safetensors.index.json` names; without either, `pytorch_model.bin` or its shards. Weights are read tensor by
 * tensor, whatever order the files have them in.
 */
import { z } from "zod";
import { recordSchema } from "../digest/record_schema.ts";
import { parseStrictJson } from "../text/strict_json.ts";
import { UserError } from "../errors.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import type { FileSystem } from "../files/file_system.ts";
import { listFolder } from "../files/list_folder.ts";
import { readFileBounded } from "../files/read_file.ts";
import { printable, unsafeNameReason } from "../files/safe_name.ts";
import type { ModelConfig } from "./config.ts";
import { parseHuggingFaceConfig } from "./hugging_face.ts";
import { findTensors } from "./hugging_face_tensors.ts";
import { modelSchema } from "./model_schema.ts";
import { SafetensorsFile } from "../formats/safetensors/safetensors_file.ts";
import type { TensorFile } from "../formats/tensor_file.ts";
import { TorchFile } from "../formats/torch/torch_file.ts";
import type { WeightsSource } from "./weights_source.ts";

const CONFIG = "config.json";
/** A form that weights come in: one file, or shards and an index of them. */
interface Form {
  readonly whole: string;
  readonly index: string;
  readonly open: (path: string, files: FileSystem) => Promise<TensorFile>;
}
/** The first that a folder has is read. */
const FORMS: readonly Form[] = [
  { whole: "model.safetensors", index: "model.safetensors.index.json", open: SafetensorsFile.open },
  { whole: "pytorch_model.bin", index: "pytorch_model.bin.index.json", open: TorchFile.open },
];
/** Of `config.json`, and of an index: one line a tensor. */
const MAX_JSON_BYTES = 16 * 2 ** 20;
const MAX_SHARDS = 1000;

/** A model in a folder. */
export interface HuggingFaceFolder extends WeightsSource {
  /** names of the files that were read, sorted */
  readonly files: readonly string[];
}

/**
 * Opens a folder; what is read is configuration, index and headers.
 *
 * @throws {UserError} if a file is missing or malformed, if the tensors are not those of the configuration, or if the
 * model is not one that rewarm trains
 */
export async function openHuggingFaceFolder(
  folder: string,
  files: FileSystem = DENO_FILES,
): Promise<HuggingFaceFolder> {
  const model = await readConfig(folder, files);
  const names = await listFolder(folder, files);
  const form = FORMS.find(({ whole, index }) => names.includes(whole) || names.includes(index));
  if (form === undefined) throw noWeights(folder, names);
  const isSharded = !names.includes(form.whole);
  const index: ShardIndex | undefined = isSharded
    ? { name: form.index, shards: await readIndex(`${folder}/${form.index}`, files) }
    : undefined;
  const shards = index === undefined ? [form.whole] : [...new Set(index.shards.values())].sort();
  const opened = new Map<string, TensorFile>();
  const close = () => opened.forEach((file) => file.close());
  try {
    for (const shard of shards) opened.set(shard, await form.open(`${folder}/${shard}`, files));
    const tensors = locate(opened, index, folder);
    const slots = new Map([...opened.values()].flatMap((file) => [...file.slots]));
    const order = findTensors(slots, model, folder).flatMap((name) => {
      const file = tensors.get(name);
      return file === undefined ? [] : [{ name, file }];
    });
    return {
      name: folder,
      model,
      files: [CONFIG, ...(isSharded ? [form.index] : []), ...shards].sort(),
      close,
      async *pieces() {
        for (const { name, file } of order) {
          for await (const piece of file.elements(name)) {
            if (!piece.every(Number.isFinite)) throw notFinite(file.path, name);
            yield piece;
          }
        }
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** What an index says. */
interface ShardIndex {
  /** the index's own file name, for messages */
  readonly name: string;
  /** shards by the names of their tensors */
  readonly shards: ReadonlyMap<string, string>;
}

/** Which file has which tensor, as the index has it too. */
function locate(
  shards: ReadonlyMap<string, TensorFile>,
  index: ShardIndex | undefined,
  folder: string,
): Map<string, TensorFile> {
  const located = new Map<string, TensorFile>();
  for (const [shard, file] of shards) {
    for (const name of file.slots.keys()) {
      const expected = index?.shards.get(name);
      if (index !== undefined && expected !== shard) {
        const where = expected === undefined ? "does not name it" : `has it in "${expected}"`;
        throw new UserError(
          "BAD_CHECKPOINT",
          `Tensor "${printable(name)}" is in "${shard}" of "${folder}", but ${index.name} ${where}`,
          "check that the files belong together",
        );
      }
      located.set(name, file);
    }
  }
  for (const [name, shard] of index?.shards ?? []) {
    if (located.has(name)) continue;
    throw new UserError(
      "BAD_CHECKPOINT",
      `"${shard}" of "${folder}" has no tensor "${printable(name)}", which ${index?.name} has in it`,
      "check that the files belong together",
    );
  }
  return located;
}

async function readJson(path: string, files: FileSystem): Promise<unknown> {
  try {
    return parseStrictJson(await readFileBounded(path, MAX_JSON_BYTES, files));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      "BAD_MODEL_CONFIG",
      `"${path}" is not strict JSON: ${error instanceof Error ? error.message : error}`,
      "fetch the file again",
      { cause: error },
    );
  }
}

async function readConfig(folder: string, files: FileSystem): Promise<ModelConfig> {
  const path = `${folder}/${CONFIG}`;
  const parsed = modelSchema.safeParse(parseHuggingFaceConfig(await readJson(path, files), path));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(
    "BAD_MODEL_CONFIG",
    `"${path}" describes a model that rewarm cannot compute, ${issue?.path.join(".")}: ${issue?.message}`,
    "its kernels go through rows eight elements at a time; docs/checkpoints.md says which models are read",
  );
}

const indexSchema = z.object({ weight_map: recordSchema(z.string(), z.string()) });

/** Shards by the names of their tensors. */
async function readIndex(path: string, files: FileSystem): Promise<ReadonlyMap<string, string>> {
  const bad = (problem: string) => new UserError("BAD_CHECKPOINT", `"${path}" ${problem}`, "fetch the file again");
  const parsed = indexSchema.safeParse(await readJson(path, files));
  if (!parsed.success) throw bad('has no "weight_map" of tensors to files');
  const index = new Map(Object.entries(parsed.data.weight_map));
  for (const shard of index.values()) {
    const reason = shard.includes("/") ? "is in another folder" : unsafeNameReason(shard);
    if (reason !== undefined) throw bad(`names the file "${printable(shard)}", which ${reason}`);
  }
  const count = new Set(index.values()).size;
  if (count > MAX_SHARDS) throw bad(`names ${count} files, and at most ${MAX_SHARDS} are read`);
  return index;
}

function noWeights(folder: string, names: readonly string[]): UserError {
  const known = FORMS.flatMap(({ whole, index }) => [`"${whole}"`, `"${index}"`]);
  const other = names.find((name) => /\.(safetensors|bin|pt|pth|ckpt|h5|msgpack)$/.test(name));
  return new UserError(
    "FILE_NOT_FOUND",
    `"${folder}" has none of ${known.join(", ")}${other === undefined ? "" : `, only "${printable(other)}"`}`,
    other === undefined
      ? "give the folder of a model as the hub has it"
      : "save the model again as safetensors, as transformers does by itself",
  );
}

function notFinite(path: string, tensor: string): UserError {
  return new UserError(
    "BAD_CHECKPOINT",
    `Tensor "${tensor}" of "${path}" has an element that is not a finite number`,
    "fetch the file again; if it stays, the model cannot be used",
  );
}
