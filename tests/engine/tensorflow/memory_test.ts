/** How a batch is cut to fit a backend; tests/engine/tensorflow/training/memory_test.ts holds the numbers to what is really taken. */
import assert from "node:assert/strict";
import { planMemory } from "../../../src/engine/tensorflow/memory.ts";
import { presetModel } from "../../../src/model/presets.ts";
import { OPTIMIZER, SMALL_MODEL } from "../fixture.ts";

const options = { model: SMALL_MODEL, optimizer: OPTIMIZER, batchSequences: 8, gradientBlockSequences: 2 };
const GIB = 2 ** 30;

Deno.test("planMemory() takes a whole batch at a time where it fits, and fewer sequences where it does not", () => {
  const whole = planMemory(options, "wasm", { activations: GIB });
  assert.equal(whole.sequences, 8);
  const perSequence =
    (whole.bytes - planMemory({ ...options, batchSequences: 4 }, "wasm", { activations: GIB }).bytes) / 4;
  assert.equal(planMemory(options, "wasm", { activations: 3 * perSequence }).sequences, 3);
  assert.equal(planMemory(options, "wasm", { activations: 1 }).sequences, 1);
  assert(planMemory(options, "wasm", { activations: 1 }).bytes < whole.bytes);
});

Deno.test("planMemory() does not grow with the batch once that is cut", () => {
  const limits = { activations: 1 };
  const of = (batchSequences: number) => planMemory({ ...options, batchSequences }, "wasm", limits).bytes;
  assert.equal(of(8), of(1024));
});

Deno.test("planMemory() refuses a model that the backend cannot address, naming both sizes", () => {
  const { config } = presetModel("pythia-410m");
  assert.throws(
    () => planMemory({ ...options, model: config }, "wasm", { activations: GIB, addressable: 3.5 * GIB }),
    (error) =>
      error instanceof RangeError &&
      /^The tensorflow engine needs \d+\.\d GiB for this model, and its backend "wasm" addresses 3\.5 GiB:/
        .test(error.message),
  );
});

Deno.test("planMemory() refuses shapes that no engine takes", () => {
  const model = { ...SMALL_MODEL, heads: 3 };
  assert.throws(() => planMemory({ ...options, model }, "wasm", { activations: GIB }), {
    name: "RangeError",
    message: /^The tensorflow engine needs a head dimension that is a multiple of 8/,
  });
});
