/** Models as Hugging Face's hub has them, of any type, in one file or in shards, with what old files hold besides. */
import assert from "node:assert/strict";
import { type ModelConfig, parameterCount } from "../../src/model/config.ts";
import { huggingFaceConfig } from "../../src/model/hugging_face.ts";
import { openHuggingFaceFolder } from "../../src/model/hugging_face_folder.ts";
import { parameterShapes } from "../../src/model/parameters.ts";
import type { SafetensorsDtype } from "../../src/formats/safetensors/safetensors_header.ts";
import { readWeights } from "../../src/model/weights_source.ts";
import { safetensorsFile } from "../formats/safetensors/safetensors_file.ts";

/** A model of 8 wide rows that the kernels take. */
export const SMALL_MODEL: ModelConfig = {
  hiddenSize: 16,
  layers: 2,
  heads: 2,
  intermediateSize: 32,
  vocabularySize: 24,
  sequenceLength: 16,
  rotaryFraction: 0.25,
  rotaryBase: 10000,
  layerNormEpsilon: 1e-5,
};

/** A tensor of a file to be. */
export interface FileTensor {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** The bytes of a safetensors file with tensors in the order given. */
export function fileOf(tensors: readonly FileTensor[]): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let offset = 0;
  for (const { name, dtype, shape, bytes } of tensors) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
  }
  const data = new Uint8Array(offset);
  let at = 0;
  for (const { bytes } of tensors) {
    data.set(bytes, at);
    at += bytes.length;
  }
  return safetensorsFile(JSON.stringify(header), data);
}

/** Elements in a type of fewer bits; those of the tests lose nothing by it. */
export function encode(values: Float32Array, dtype: "F32" | "F16" | "BF16"): Uint8Array {
  if (dtype === "F32") return new Uint8Array(values.slice().buffer);
  if (dtype === "F16") return new Uint8Array(new Float16Array(values).buffer);
  const words = new Uint32Array(values.slice().buffer);
  return new Uint8Array(Uint16Array.from(words, (word) => word >>> 16).buffer);
}

/** Weights that f16 and bf16 hold exactly: eighths from −15/8 to 15/8. */
export function exactWeights(count: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, i) => ((i * 7) % 31 - 15) / 8);
}

/** A model's tensors, sorted by name as Hugging Face's library writes them. */
export function modelTensors(
  model: ModelConfig,
  weights: Float32Array,
  dtype: "F32" | "F16" | "BF16" = "F32",
): FileTensor[] {
  return parameterShapes(model).map(({ name, shape, offset, size }) => ({
    name,
    dtype,
    shape,
    bytes: encode(weights.slice(offset, offset + size), dtype),
  })).sort((a, b) => a.name < b.name ? -1 : 1);
}

/** What older versions of transformers stored with every layer. */
export function oldBuffers({ layers, sequenceLength: n }: ModelConfig): FileTensor[] {
  return Array.from({ length: layers }, (_, layer) => `gpt_neox.layers.${layer}.attention`).flatMap((prefix) => [
    { name: `${prefix}.bias`, dtype: "BOOL" as const, shape: [1, 1, n, n], bytes: new Uint8Array(n * n).fill(1) },
    { name: `${prefix}.masked_bias`, dtype: "F16" as const, shape: [], bytes: Uint8Array.of(0, 0xfc) },
    { name: `${prefix}.rotary_emb.inv_freq`, dtype: "F32" as const, shape: [1], bytes: new Uint8Array(4) },
  ]);
}

/** Writes a folder with one file of weights. */
export async function writeFolder(
  folder: string,
  tensors: readonly FileTensor[],
  config: unknown = huggingFaceConfig(SMALL_MODEL, 0),
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(config));
  await Deno.writeFile(`${folder}/model.safetensors`, fileOf(tensors));
}

/** Writes a folder with two shards, and an index that `change` may alter. */
export async function writeShards(
  folder: string,
  tensors: readonly FileTensor[],
  change: (weightMap: Record<string, string>) => Record<string, string> = (weightMap) => weightMap,
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(huggingFaceConfig(SMALL_MODEL, 0)));
  const weightMap: Record<string, string> = {};
  const half = Math.floor(tensors.length / 2);
  for (const [i, part] of [tensors.slice(0, half), tensors.slice(half)].entries()) {
    const name = `model-0000${i + 1}-of-00002.safetensors`;
    await Deno.writeFile(`${folder}/${name}`, fileOf(part));
    for (const tensor of part) weightMap[tensor.name] = name;
  }
  const index = { metadata: { total_size: 1 }, weight_map: change(weightMap) };
  await Deno.writeTextFile(`${folder}/model.safetensors.index.json`, JSON.stringify(index));
}

/** All weights of a folder that must hold {@linkcode SMALL_MODEL}. */
export async function loadSmallModel(folder: string): Promise<Float32Array<ArrayBuffer>> {
  const source = await openHuggingFaceFolder(folder);
  try {
    assert.deepEqual(source.model, SMALL_MODEL);
    const weights = new Float32Array(parameterCount(source.model)).fill(NaN);
    await readWeights(source, weights);
    return weights;
  } finally {
    source.close();
  }
}
