/** Operations that a WebGPU device refuses. */
import assert from "node:assert/strict";
import { backendNamed } from "./fixture.ts";

const hasAdapter = await navigator.gpu?.requestAdapter() != null;

Deno.test({
  name: "a call fails when the device refuses one of its operations, instead of returning another tensor's numbers",
  ignore: !hasAdapter,
  fn: async () => {
    const { tf, guard } = await backendNamed("webgpu");
    assert(guard);
    await tf.setBackend("webgpu");
    const sumOf = (count: number) =>
      guard(async () => {
        const tensors = Array.from(
          { length: count },
          () => tf.tensor(new Float32Array(2048).fill(1), [2048], "float32"),
        );
        const sum = tf.addN(tensors);
        try {
          return (await sum.data())[0];
        } finally {
          for (const tensor of [...tensors, sum]) tensor.dispose();
        }
      });
    assert.equal(await sumOf(3), 3);
    // More buffers than a kernel may be given.
    await assert.rejects(sumOf(100), { code: "DEVICE_REFUSED", message: /^The WebGPU device refused an operation \(/ });
    assert.equal(await sumOf(3), 3);
  },
});
