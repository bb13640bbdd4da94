import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { DENO_FILES } from "../../src/files/deno_file_system.ts";
import type { FileSystem } from "../../src/files/file_system.ts";
import { type ModelConfig, parameterCount } from "../../src/model/config.ts";
import { openHuggingFaceFolder } from "../../src/model/hugging_face_folder.ts";
import { huggingFaceConfig } from "../../src/model/hugging_face.ts";
import { parameterShapes } from "../../src/model/parameters.ts";
import { parseSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import { openWeightsFile, writeWeightsFile } from "../../src/model/weights_file.ts";
import { readWeights, type WeightsSource } from "../../src/model/weights_source.ts";
import { withFolder } from "../temporary_folder.ts";
import { encode, exactWeights, modelTensors, SMALL_MODEL, writeFolder, writeShards } from "./hugging_face_files.ts";
import { safetensorsFile } from "../formats/safetensors/safetensors_file.ts";

const WEIGHTS = exactWeights(parameterCount(SMALL_MODEL));

function sourceOf(...readings: Float32Array<ArrayBuffer>[]): WeightsSource {
  let reading = 0;
  return {
    name: "memory",
    model: SMALL_MODEL,
    async *pieces() {
      yield (readings[reading++] ?? readings.at(-1) ?? WEIGHTS).slice();
    },
    close: () => {},
  };
}

async function load(path: string): Promise<Float32Array> {
  const file = await openWeightsFile(path);
  try {
    const weights = new Float32Array(parameterCount(file.model));
    await readWeights(file, weights);
    return weights;
  } finally {
    file.close();
  }
}

Deno.test("writeWeightsFile() gives the same bytes for the same weights, whatever files they came in", () =>
  withFolder(async (folder) => {
    await writeFolder(`${folder}/a`, modelTensors(SMALL_MODEL, WEIGHTS, "F32"));
    await writeShards(`${folder}/b`, modelTensors(SMALL_MODEL, WEIGHTS, "F16"));
    for (const name of ["a", "b"]) {
      const source = await openHuggingFaceFolder(`${folder}/${name}`);
      const digest = await writeWeightsFile(`${folder}/${name}.safetensors`, source);
      source.close();
      assert.equal(digest, sha256(encode(WEIGHTS, "F32")), "the digest is that of the flat f32 weights");
    }
    const bytes = await Deno.readFile(`${folder}/a.safetensors`);
    assert.deepEqual(bytes, await Deno.readFile(`${folder}/b.safetensors`));
    assert.deepEqual(
      bytes.subarray(-4 * WEIGHTS.length),
      encode(WEIGHTS, "F32"),
      "they are all that follows the header",
    );
    assert.deepEqual(
      [...parseSafetensors(bytes, "a").tensors.keys()],
      parameterShapes(SMALL_MODEL).map(({ name }) => name),
    );
    assert.deepEqual(await load(`${folder}/a.safetensors`), WEIGHTS);
  }));

Deno.test("openWeightsFile() finds a changed bit when the weights are read", () =>
  withFolder(async (folder) => {
    const path = `${folder}/w.safetensors`;
    await writeWeightsFile(path, sourceOf(WEIGHTS));
    const bytes = await Deno.readFile(path);
    const last = bytes.length - 1;
    bytes[last] = (bytes[last] ?? 0) ^ 1;
    await Deno.writeFile(path, bytes);
    await assert.rejects(load(path), { code: "BAD_CHECKPOINT", message: /have the digest .*, expected / });
  }));

Deno.test("openWeightsFile() refuses a file that does not say which model it is for", () =>
  withFolder(async (folder) => {
    const path = `${folder}/w.safetensors`;
    const digest = "0".repeat(64);
    for (
      const metadata of [
        {},
        { format: "pt" },
        { format: "rewarm weights v1", weights: digest },
        { format: "rewarm weights v1", weights: digest, model: "{" },
        { format: "rewarm weights v1", weights: digest, model: '{"layers":1e9}' },
        { format: "rewarm weights v1", weights: "no digest", model: JSON.stringify(SMALL_MODEL) },
      ]
    ) {
      await Deno.writeFile(path, safetensorsFile(JSON.stringify({ __metadata__: metadata }), new Uint8Array(0)));
      await assert.rejects(openWeightsFile(path), { code: "BAD_CHECKPOINT", message: /does not say which model/ });
    }
  }));

Deno.test("writeWeightsFile() leaves no file when the source changes between its two readings", () =>
  withFolder(async (folder) => {
    const changed = WEIGHTS.slice();
    changed[3] = 100;
    await assert.rejects(writeWeightsFile(`${folder}/w`, sourceOf(WEIGHTS, changed)), { code: "WEIGHTS_CHANGED" });
    assert.deepEqual(await DENO_FILES.readFolder(folder), []);
  }));

/** Files that forget what is written, and note the process's memory at every write. */
function watchedFiles(onWrite: () => void): FileSystem {
  return {
    ...DENO_FILES,
    open: async (path, mode, permissions) => {
      if (mode === "read") return await DENO_FILES.open(path, mode, permissions);
      return {
        write: (bytes) => {
          onWrite();
          return Promise.resolve(bytes.length);
        },
        sync: () => Promise.resolve(),
        close: () => {},
        read: () => Promise.reject(new Error("not needed")),
        seek: () => Promise.reject(new Error("not needed")),
        truncate: () => Promise.reject(new Error("not needed")),
        status: () => Promise.reject(new Error("not needed")),
        tryLock: () => Promise.reject(new Error("not needed")),
      };
    },
    rename: () => Promise.resolve(),
    remove: () => Promise.resolve(),
  };
}

/** 67 million parameters in two matrices: 256 MiB as f32. */
const WIDE: ModelConfig = {
  ...SMALL_MODEL,
  hiddenSize: 512,
  intermediateSize: 8,
  layers: 1,
  vocabularySize: 65536,
};

Deno.test("writeWeightsFile() holds less than a quarter of the weights when it imports f16", () =>
  withFolder(async (folder) => {
    // A file of zeros, of which no more lie on the disk than a file must have to be read.
    const header: Record<string, unknown> = {};
    let end = 0;
    for (const { name, shape, size } of parameterShapes(WIDE)) {
      header[name] = { dtype: "F16", shape, data_offsets: [end, end += 2 * size] };
    }
    await writeFolder(folder, [], huggingFaceConfig(WIDE, 0));
    const start = safetensorsFile(JSON.stringify(header), new Uint8Array(0));
    await Deno.writeFile(`${folder}/model.safetensors`, start);
    await Deno.writeFile(`${folder}/model.safetensors`, new Uint8Array(2 << 20), { append: true });
    await Deno.truncate(`${folder}/model.safetensors`, start.length + end);

    const source = await openHuggingFaceFolder(folder);
    const before = Deno.memoryUsage().rss;
    let peak = before;
    const files = watchedFiles(() => {
      peak = Math.max(peak, Deno.memoryUsage().rss);
    });
    await writeWeightsFile(`${folder}/w.safetensors`, source, files);
    source.close();
    const weightsBytes = 4 * parameterCount(WIDE);
    assert(peak - before < weightsBytes / 4, `${(peak - before) / 2 ** 20} MiB for ${weightsBytes / 2 ** 20} MiB`);
  }));
