/** Fuzzing of a file that PyTorch wrote: refused by name, or the same weights. Seeds are fixed. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { UserError } from "../../../src/errors.ts";
import { findTensors } from "../../../src/model/hugging_face_tensors.ts";
import { TorchFile } from "../../../src/formats/torch/torch_file.ts";
import { applyByteEdits, byteEdits } from "../../fuzz/byte_edits.ts";
import { SMALL_MODEL } from "../../model/hugging_face_files.ts";
import { memoryFiles } from "./memory_file.ts";

const whole = await Deno.readFile(new URL("../../fixtures/torch/f16/pytorch_model.bin", import.meta.url));

/** The weights of a file, as a folder would read them; nothing if it is refused. */
async function weightsOf(bytes: Uint8Array): Promise<number[] | undefined> {
  try {
    const file = await TorchFile.open("pytorch_model.bin", memoryFiles(bytes));
    const weights: number[] = [];
    for (const name of findTensors(file.slots, SMALL_MODEL, file.path)) {
      for await (const piece of file.elements(name)) weights.push(...piece);
    }
    return weights;
  } catch (error) {
    assert(error instanceof UserError, String(error));
    assert(
      ["BAD_TORCH_FILE", "UNSUPPORTED_TORCH_FILE", "UNSAFE_PICKLE", "BAD_CHECKPOINT"].includes(error.code),
      error.code,
    );
    assert(error.message.length < 700, "the message is short");
    return undefined;
  }
}

const expected = await weightsOf(whole);
assert(expected !== undefined);

const FLIPS = 2000;
Deno.test(`TorchFile refuses a file of which a bit is turned, or reads the same weights (${FLIPS} files)`, async () => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.noBias(fc.nat(8 * whole.length - 1)), async (bit) => {
      const bytes = whole.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const weights = await weightsOf(bytes);
      if (weights === undefined) refused++;
      else assert.deepEqual(weights, expected);
    }),
    { numRuns: FLIPS, seed: 1 },
  );
  // Weights, pickle and directory are two thirds of it; buffers and what fills up to 64 bytes the rest.
  assert(refused > FLIPS / 2 && refused < FLIPS, `${refused}`);
});

const EDITS = 1000;
Deno.test(`TorchFile refuses a file whose bytes change, or reads the same weights (${EDITS} files)`, async () => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(byteEdits, async (edits) => {
      const weights = await weightsOf(applyByteEdits(whole, edits));
      if (weights === undefined) refused++;
      else assert.deepEqual(weights, expected);
    }),
    { numRuns: EDITS, seed: 2 },
  );
  assert(refused > EDITS / 2 && refused < EDITS, `${refused}`);
});
