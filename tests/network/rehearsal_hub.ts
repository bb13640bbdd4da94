/**
 * A hub on this machine with all that the paper's scale needs, in small: Pythia's three checkpoints as models of the 14M
 * shape with random weights, the Pile and SlimPajama as `.jsonl.zst`, and a tokenizer.
 */
import { zstdCompressSync } from "node:zlib";
import { slimPajamaWeights } from "../../src/data/slimpajama.ts";
import { loadScale } from "../../src/experiment/catalogue.ts";
import { PAPER_CHECKPOINT_STEPS } from "../../src/experiment/scale/paper_units.ts";
import { huggingFaceConfig } from "../../src/model/hugging_face.ts";
import { parameterCount } from "../../src/model/config.ts";
import { initializeWeights } from "../../src/model/initial_weights.ts";
import { type ModelPreset, presetModel } from "../../src/model/presets.ts";
import { SMALL_TOKENIZER } from "../formats/bpe/small_tokenizer.ts";
import { story } from "../data/fixtures.ts";
import { fileOf, modelTensors, oldBuffers } from "../model/hugging_face_files.ts";
import { StandInHub } from "./stand_in_hub.ts";

const PILE_SETS = ["Pile-CC", "PubMed Central", "Github"];

/** A shard: documents of the domains in turns, each with its set's name where such files have it. */
function shard(count: number, first: number, key: string, domains: readonly string[]): Uint8Array<ArrayBuffer> {
  const lines = Array.from({ length: count }, (_, i) => {
    const meta = { [key]: domains[i % domains.length] };
    return `${JSON.stringify({ text: story(first + i, 300), meta })}\n`;
  });
  return zstdCompressSync(lines.join(""));
}

/** A model's folder as the hub has it: half precision, with the buffers of old versions. */
function modelFiles(preset: ModelPreset, seed: number): Record<string, Uint8Array<ArrayBuffer>> {
  const { config } = presetModel(preset);
  const weights = new Float32Array(parameterCount(config));
  initializeWeights(config, seed, weights);
  const buffers = oldBuffers({ ...config, sequenceLength: 8 });
  const tensors = [...modelTensors(config, weights, "F16"), ...buffers].sort((a, b) => a.name < b.name ? -1 : 1);
  return {
    "config.json": new TextEncoder().encode(JSON.stringify(huggingFaceConfig(config, 0))),
    "model.safetensors": fileOf(tensors),
  };
}

/** The hub with what `experiments/scales/paper.yaml` names. Dispose of it. */
export async function rehearsalHub(preset: ModelPreset): Promise<StandInHub> {
  const { data, start } = await loadScale("paper");
  if (data.kind !== "huggingface" || start?.kind !== "huggingface") throw new Error("The paper's data are on the hub");
  const domains = Object.keys(slimPajamaWeights());
  const hub = new StandInHub({
    "README.md": new TextEncoder().encode("read me\n"),
    "train/chunk1/example_train_0.jsonl.zst": shard(70, 0, "redpajama_set_name", domains),
    "train/chunk1/example_train_1.jsonl.zst": shard(70, 70, "redpajama_set_name", domains),
    "validation/chunk1/example_holdout_0.jsonl.zst": shard(70, 1000, "redpajama_set_name", domains),
  }, `datasets/${data.downstream.dataset}`);
  hub.largeBytes = 4000;
  hub.repositories[`datasets/${data.upstream.dataset}`] = {
    "train/00.jsonl.zst": shard(60, 5000, "pile_set_name", PILE_SETS),
    "train/01.jsonl.zst": shard(60, 5060, "pile_set_name", PILE_SETS),
  };
  hub.repositories[`datasets/${data.upstream.validation}`] = {
    "val.jsonl.zst": shard(60, 6000, "pile_set_name", PILE_SETS),
  };
  hub.repositories["models/EleutherAI/gpt-neox-20b"] = { "tokenizer.json": await Deno.readFile(SMALL_TOKENIZER) };
  for (const [i, step] of PAPER_CHECKPOINT_STEPS.entries()) {
    const commit = String(i + 1).repeat(40);
    hub.branches[`models/${start.model}@step${step}`] = commit;
    hub.repositories[`models/${start.model}@${commit}`] = modelFiles(preset, step);
  }
  return hub;
}
