/** Flash attention, forward and backward. */
import { Attention } from "../../../src/engine/cuda/mixed/attention.ts";
import { type MixedContext, WINDOWS } from "./mixed_context.ts";

export async function attentionCase({ writer, half, kernels, model, rows, unitRoundoff }: MixedContext): Promise<void> {
  const { heads, hiddenSize, sequenceLength } = model, d = hiddenSize / heads;
  const qkv = writer.random(half, [rows, heads, 3, d]), dOutput = writer.random(half, [rows, heads, d]);
  const output = writer.empty(half, [rows, heads, d]), gradient = writer.empty(half, [rows, heads, 3, d]);
  const perRow = () => writer.empty("f32", [WINDOWS, heads, sequenceLength]);
  const logSums = perRow(), deltas = perRow();
  const attention = new Attention(writer.device, kernels, model, WINDOWS);
  const activations = { queryKeyValue: qkv.view, output: output.view, logSums: logSums.view };
  await writer.add(
    {
      operation: "attention",
      title: "attention, forward and backward",
      shape: `${WINDOWS} × ${heads} heads of ${d}, ${sequenceLength} tokens`,
      numbers: { windows: WINDOWS },
    },
    { qkv, dOutput },
    {
      // Roundings on the way: P and the output; then delta, dS, and the result.
      output: { array: output, bound: 2 * unitRoundoff },
      logSums: { array: logSums, bound: 1e-6 },
      gradient: { array: gradient, bound: 3 * unitRoundoff },
    },
    () => {
      attention.forward(activations);
      attention.backward(activations, dOutput.view, deltas.view, gradient.view);
    },
  );
}
