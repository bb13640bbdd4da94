/** Exports against Hugging Face transformers, where `python3` has it: `deno test --allow-run=python3`. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import { openForInference } from "../../src/inference/open_for_inference.ts";
import { parameterCount } from "../../src/model/config.ts";
import { exportHuggingFace } from "../../src/model/hugging_face_export.ts";
import { openHuggingFaceFolder } from "../../src/model/hugging_face_folder.ts";
import { initializeWeights } from "../../src/model/initial_weights.ts";
import { parameterShapes } from "../../src/model/parameters.ts";
import { readWeights } from "../../src/model/weights_source.ts";
import { SMALL_MODEL } from "../model/hugging_face_files.ts";
import { withFolder } from "../temporary_folder.ts";

const VERSION = "import torch, transformers; print(transformers.__version__)";

/** Loads a model, prints its logits of some ids in float64, and saves it again as transformers does. */
const LOGITS = `
import json, sys, torch
from transformers import AutoModelForCausalLM
folder, ids, again = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
model, found = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, output_loading_info=True)
with torch.no_grad():
    logits = model(torch.tensor([ids])).logits[0]
AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).save_pretrained(again)
lists = {name: sorted(map(str, found.get(name, []))) for name in ("missing_keys", "unexpected_keys", "mismatched_keys")}
print(json.dumps({"logits": logits.tolist(), "found": lists}))
`;

async function python(code: string, ...args: string[]): Promise<string> {
  const { code: status, stdout, stderr } = await new Deno.Command("python3", { args: ["-c", code, ...args] }).output();
  if (status !== 0) throw new Error(new TextDecoder().decode(stderr).trim().split("\n").at(-1));
  return new TextDecoder().decode(stdout).trim();
}

async function reasonToSkip(): Promise<string | undefined> {
  const { state } = await Deno.permissions.query({ name: "run", command: "python3" });
  if (state !== "granted") return "needs --allow-run=python3";
  try {
    await python(VERSION);
    return undefined;
  } catch (error) {
    return `python3 has no transformers: ${error instanceof Error ? error.message : error}`;
  }
}

const reason = await reasonToSkip();

Deno.test({
  name: "transformers computes our logits from an export, and we read what it saves as bf16" +
    (reason === undefined ? "" : ` (skipped: ${reason})`),
  ignore: reason !== undefined,
  fn: () =>
    withFolder(async (folder) => {
      // Layer norms and biases must not be ones and zeros, or a mix-up of them would not show.
      const weights = new Float32Array(parameterCount(SMALL_MODEL));
      initializeWeights(SMALL_MODEL, 1, weights);
      for (const { shape, offset, size } of parameterShapes(SMALL_MODEL)) {
        if (shape.length > 1) continue;
        for (let i = offset; i < offset + size; i++) weights[i] = (weights[i] ?? 0) + ((i * 7) % 31 - 15) / 64;
      }
      await exportHuggingFace({
        name: "random",
        model: SMALL_MODEL,
        pieces: async function* () {
          yield weights;
        },
        close: () => {},
      }, `${folder}/export`);

      const ids = Array.from({ length: SMALL_MODEL.sequenceLength }, (_, i) => (5 * i + 3) % 24);
      const { logits, found } = JSON.parse(
        await python(LOGITS, `${folder}/export`, JSON.stringify(ids), `${folder}/again`),
      );
      assert.deepEqual(found, { missing_keys: [], unexpected_keys: [], mismatched_keys: [] });

      const engine = await createExactEngine({ threads: 1, sha256 });
      const session = await openForInference(engine, SMALL_MODEL, (into) => Promise.resolve(into.set(weights)));
      const ours = await session.logits(Uint16Array.from(ids));
      session.close();
      const expected: number[] = logits.flat();
      assert.equal(ours.length, expected.length);
      const scale = Math.max(...expected.map(Math.abs));
      ours.forEach((logit, i) => assert(Math.abs(logit - (expected[i] ?? NaN)) < 1e-5 * scale, `logit ${i}: ${logit}`));

      const saved = await openHuggingFaceFolder(`${folder}/again`);
      const rounded = new Float32Array(weights.length);
      await readWeights(saved, rounded);
      saved.close();
      assert.deepEqual(saved.model, SMALL_MODEL);
      rounded.forEach((w, i) => {
        const exact = weights[i] ?? NaN;
        assert(Math.abs(w - exact) <= Math.abs(exact) / 256, `weight ${i}: ${w}, expected ${exact} as bf16`);
      });
    }),
});
