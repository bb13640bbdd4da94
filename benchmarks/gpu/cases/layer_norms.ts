/** Both LayerNorms of a layer, forward and backward. */
import type { MixedContext } from "./mixed_context.ts";

export async function layerNormCases(context: MixedContext): Promise<void> {
  await forward(context);
  await backward(context);
}

function description({ rows, model }: MixedContext) {
  return { shape: `${rows} rows of ${model.hiddenSize}`, numbers: { epsilon: model.layerNormEpsilon } };
}

async function forward(context: MixedContext): Promise<void> {
  const { writer, half, rows, model: { hiddenSize: h }, operations, roundedOnce: bound } = context;
  const inputs = {
    residual: writer.random("f32", [rows, h], 3, 1),
    carried: writer.random("f32", [h]),
    gain1: writer.random("f32", [h], 0.25, 1),
    gain2: writer.random("f32", [h], 0.25, 1),
    shift1: writer.random("f32", [h]),
    shift2: writer.random("f32", [h]),
  };
  const result = () => writer.empty(half, [rows, h]);
  const normalized = result(), y1 = result(), y2 = result(), rstds = writer.empty("f32", [rows]);
  await writer.add(
    { operation: "layer_norm_pair", title: "LayerNorm, both of a layer", ...description(context) },
    inputs,
    {
      normalized: { array: normalized, bound },
      rstds: { array: rstds, bound: 1e-6 },
      y1: { array: y1, bound },
      y2: { array: y2, bound },
    },
    () =>
      operations.normalize(
        { residual: inputs.residual.view, carried: inputs.carried.view },
        [
          { gain: inputs.gain1.view, shift: inputs.shift1.view, y: y1.view },
          { gain: inputs.gain2.view, shift: inputs.shift2.view, y: y2.view },
        ],
        { normalized: normalized.view, rstds: rstds.view },
      ),
  );
}

async function backward(context: MixedContext): Promise<void> {
  const { writer, half, rows, model: { hiddenSize: h }, operations, roundedOnce } = context;
  const inputs = {
    gain1: writer.random("f32", [h], 0.25, 1),
    gain2: writer.random("f32", [h], 0.25, 1),
    dy1: writer.random(half, [rows, h]),
    dy2: writer.random(half, [rows, h]),
    normalized: writer.random(half, [rows, h]),
    rstds: writer.random("f32", [rows], 0.1, 1),
    stream: writer.random("f32", [rows, h]),
  };
  const pieces = operations.pieces.norm, rounded = writer.empty(half, [rows, h]);
  const partial = { norm: writer.empty("f32", [pieces, 4 * h]), stream: writer.empty("f32", [pieces, h]) };
  const sums = { norm: writer.empty("f32", [4 * h]), stream: writer.empty("f32", [h]) };
  await writer.add(
    { operation: "layer_norm_pair_backward", title: "LayerNorm, both, backward", ...description(context) },
    inputs,
    {
      dStream: { array: inputs.stream, bound: 4e-6 },
      rounded: { array: rounded, bound: roundedOnce + 4e-6 },
      normSums: { array: sums.norm, bound: 1e-5 },
      streamSums: { array: sums.stream, bound: 1e-5 },
    },
    () => {
      operations.normalizeBackward(
        [{ dy: inputs.dy1.view, gain: inputs.gain1.view }, { dy: inputs.dy2.view, gain: inputs.gain2.view }],
        { normalized: inputs.normalized.view, rstds: inputs.rstds.view },
        { exact: inputs.stream.view, rounded: rounded.view },
        { norm: partial.norm.view, stream: partial.stream.view },
      );
      operations.sumColumns({ partial: partial.norm.view, pieces, width: 4 * h, target: sums.norm.view }, false);
      operations.sumColumns({ partial: partial.stream.view, pieces, width: h, target: sums.stream.view }, false);
    },
  );
}
