/** The exact engine against Hugging Face transformers on PyTorch in float64, from tests/fixtures/outside. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import type { Session } from "../../src/engine/engine.ts";
import { parameterShapes } from "../../src/model/parameters.ts";
import { hasNeoxTiny, NEOX_TINY_OPTIMIZER, readNeoxTiny } from "./neox_tiny.ts";

const ignore = !hasNeoxTiny;

async function openFixture(): Promise<Awaited<ReturnType<typeof readNeoxTiny>> & { session: Session }> {
  const fixture = await readNeoxTiny();
  const engine = await createExactEngine({ threads: 2, sha256 });
  const session = await engine.open({
    model: fixture.config,
    optimizer: NEOX_TINY_OPTIMIZER,
    batchSequences: 2,
    gradientBlockSequences: 1,
  });
  await session.writeState(({ weights }) => weights.set(fixture.weights));
  return { ...fixture, session };
}

/** ‖a − b‖ / ‖b‖ */
function relativeError(actual: ArrayLike<number>, expected: Float64Array): number {
  let difference = 0, norm = 0;
  expected.forEach((value, i) => {
    difference += ((actual[i] ?? NaN) - value) ** 2;
    norm += value ** 2;
  });
  return Math.sqrt(difference / norm);
}

function float64(entry: { data: Uint8Array; dtype: string } | undefined): Float64Array {
  assert(entry);
  const buffer = entry.data.slice().buffer;
  return entry.dtype === "F64" ? new Float64Array(buffer) : Float64Array.from(new Float32Array(buffer));
}

Deno.test({
  name: "gradient() agrees with float64 autograd within 2e-5 in every tensor when it runs neox-tiny",
  ignore,
  fn: async () => {
    const { session, config, reference, tokens, numbers } = await openFixture();
    try {
      const { loss, gradient } = await session.gradient(tokens);
      assert(Math.abs(loss / numbers.loss_f64 - 1) < 1e-6, `loss ${loss}`);
      let worst = 0;
      for (const { name, offset, size } of parameterShapes(config)) {
        const expected = float64(reference.tensors.get(`grad.${name.replace("embed_out", "lm_head")}`));
        const error = relativeError(gradient.subarray(offset, offset + size), expected);
        assert(error < 2e-5, `${name}: relative error ${error}`);
        worst = Math.max(worst, error);
      }
      assert(worst > 0);
    } finally {
      session.close();
    }
  },
});

Deno.test({
  name: "logits() agrees with float64 transformers within 1e-5 when it runs neox-tiny",
  ignore,
  fn: async () => {
    const { session, config, reference, tokens } = await openFixture();
    try {
      const expected = float64(reference.tensors.get("logits"));
      const width = config.sequenceLength * config.vocabularySize;
      for (const row of [0, 1]) {
        const first = row * (config.sequenceLength + 1);
        const logits = await session.logits(tokens.subarray(first, first + config.sequenceLength));
        const error = relativeError(logits, expected.subarray(row * width, (row + 1) * width));
        assert(error < 1e-5, `sequence ${row}: relative error ${error}`);
      }
    } finally {
      session.close();
    }
  },
});

Deno.test({
  name: "step() follows ten float64 AdamW losses within 2e-5 when it runs neox-tiny",
  ignore,
  fn: async () => {
    const { session, tokens, numbers } = await openFixture();
    try {
      for (const [step, expected] of numbers.losses_f64.entries()) {
        const { loss, gradientNorm } = await session.step(tokens, Math.fround(numbers.adamw.lr), step);
        assert(Math.abs(loss / expected - 1) < 2e-5, `step ${step}: ${loss}, expected ${expected}`);
        if (step === 0) assert(Math.abs(gradientNorm / numbers.grad_norm_f64 - 1) < 2e-6, `norm ${gradientNorm}`);
      }
    } finally {
      session.close();
    }
  },
});
