/** Bias and GELU, rotary embedding, and the token embedding, each forward and backward. */
import { indexTokens } from "../../../src/engine/cuda/ordered/embedding_index.ts";
import { rotaryHalf, rotaryTables } from "../../../src/engine/ordered/rotary_tables.ts";
import { tokenWindows } from "../../training_task.ts";
import { type MixedContext, WINDOWS } from "./mixed_context.ts";

export async function geluCase({ writer, half, rows, model, operations, roundedOnce: bound }: MixedContext) {
  const { intermediateSize: m } = model, pieces = operations.pieces.linear;
  const inputs = {
    hidden: writer.random(half, [rows, m], 2),
    bias: writer.random("f32", [m]),
    dActivation: writer.random(half, [rows, m]),
  };
  const activation = writer.empty(half, [rows, m]);
  const partial = writer.empty("f32", [pieces, m]), dBias = writer.empty("f32", [m]);
  await writer.add(
    { operation: "gelu", title: "bias and GELU, forward and backward", shape: `${rows} rows of ${m}`, numbers: {} },
    inputs,
    {
      activation: { array: activation, bound },
      dHidden: { array: inputs.dActivation, bound },
      dBias: { array: dBias, bound: 1e-5 },
    },
    () => {
      operations.gelu(inputs.hidden.view, inputs.bias.view, activation.view);
      operations.geluBackward(inputs.dActivation.view, inputs.hidden.view, inputs.bias.view, partial.view);
      operations.sumColumns({ partial: partial.view, pieces, width: m, target: dBias.view }, false);
    },
  );
}

export async function rotaryCase({ writer, half, rows, model, operations, roundedOnce: bound }: MixedContext) {
  const { heads, hiddenSize: h, sequenceLength } = model, d = h / heads, pieces = operations.pieces.linear;
  const shape = [sequenceLength, rotaryHalf(model)] as const;
  const tables = rotaryTables(model);
  const inputs = {
    qkv: writer.random(half, [rows, heads, 3, d]),
    gradient: writer.random(half, [rows, heads, 3, d]),
    bias: writer.random("f32", [heads, 3, d]),
    cosines: writer.put(tables.cosines, "f32", shape),
    sines: writer.put(tables.sines, "f32", shape),
  };
  const partial = writer.empty("f32", [pieces, 3 * h]), dBias = writer.empty("f32", [heads, 3, d]);
  await writer.add(
    {
      operation: "rotary",
      title: "bias and rotary embedding, forward and backward",
      shape: `${rows} rows, ${heads} heads of ${d}`,
      numbers: {},
    },
    inputs,
    {
      turned: { array: inputs.qkv, bound },
      turnedBack: { array: inputs.gradient, bound },
      dBias: { array: dBias, bound: 1e-5 },
    },
    () => {
      const views = { cosines: inputs.cosines.view, sines: inputs.sines.view };
      operations.rotary(inputs.qkv.view, inputs.bias.view, views);
      operations.rotaryBackward(inputs.gradient.view, views, partial.view);
      operations.sumColumns({ partial: partial.view, pieces, width: 3 * h, target: dBias.view }, false);
    },
  );
}

export async function embeddingCase(context: MixedContext): Promise<void> {
  const { writer, rows, model, operations } = context;
  const { vocabularySize, hiddenSize: h, sequenceLength } = model;
  const inputs = {
    tokens: context.tokens(),
    table: writer.random("f32", [vocabularySize, h]),
    stream: writer.random("f32", [rows, h]),
    gradient: writer.random("f32", [vocabularySize, h]),
  };
  const places = indexTokens(tokenWindows(model, WINDOWS, 0), sequenceLength, WINDOWS);
  const words = (values: Uint32Array<ArrayBuffer>) => writer.put(values, "u32", [values.length]).view;
  const index = {
    ids: words(places.ids),
    starts: words(places.starts),
    rows: words(places.rows),
    count: places.ids.length,
  };
  const residual = writer.empty("f32", [rows, h]);
  await writer.add(
    { operation: "embedding", title: "embedding, forward and backward", shape: `${rows} rows of ${h}`, numbers: {} },
    inputs,
    { residual: { array: residual, bound: 0 }, dTable: { array: inputs.gradient, bound: 1e-6 } },
    () => {
      operations.embed(inputs.tokens.view, inputs.table.view, residual.view);
      operations.embedBackward(inputs.stream.view, index, inputs.gradient.view);
    },
  );
}
