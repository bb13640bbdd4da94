/** The mixed mode against Hugging Face transformers on PyTorch in float64, from tests/fixtures/outside. */
import assert from "node:assert/strict";
import { parameterShapes } from "../../../src/model/parameters.ts";
import { hasNeoxTiny, NEOX_TINY_OPTIMIZER, readNeoxTiny } from "../../outside/neox_tiny.ts";
import { assertClose, ignoreWithoutCompiler, unitRoundoff } from "./mixed_fixture.ts";
import { withSession } from "./mixed_session_fixture.ts";

for (const precision of ["bf16", "fp16"] as const) {
  Deno.test({
    name:
      `MixedSession agrees with float64 autograd in ${precision}, and follows ten AdamW steps, when it runs neox-tiny`,
    ignore: ignoreWithoutCompiler || !hasNeoxTiny,
    fn: async () => {
      const { config, weights, reference, tokens, numbers } = await readNeoxTiny();
      const options = {
        model: config,
        optimizer: NEOX_TINY_OPTIMIZER,
        batchSequences: 2,
        gradientBlockSequences: 1,
      };
      await withSession(options, { precision }, async (session) => {
        await session.writeState((state) => state.weights.set(weights));
        const { loss, gradient } = await session.gradient(tokens);
        const u = unitRoundoff(precision);
        assert(Math.abs(loss / numbers.loss_f64 - 1) < u / 20, `loss ${loss}, in float64 ${numbers.loss_f64}`);
        for (const { name, offset, size } of parameterShapes(config)) {
          const entry = reference.tensors.get(`grad.${name.replace("embed_out", "lm_head")}`);
          assert(entry);
          const buffer = entry.data.slice().buffer;
          const expected = entry.dtype === "F64" ? new Float64Array(buffer) : new Float32Array(buffer);
          // As in mixed_session_test.ts: some twenty roundings that add up like a random walk.
          assertClose(`gradient of ${name}`, gradient.subarray(offset, offset + size), expected, 4.5 * u);
        }
        for (const [step, expected] of numbers.losses_f64.entries()) {
          const { loss, outcome } = await session.step(tokens, Math.fround(numbers.adamw.lr), step);
          assert.equal(outcome, "updated");
          assert(Math.abs(loss / expected - 1) < u / 4, `loss ${loss} at step ${step}, in float64 ${expected}`);
        }
      });
    },
  });
}
