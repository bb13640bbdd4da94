/** Cross-entropy with its gradient, and the end of a step: norm, clipping, AdamW. */
import { slice } from "../../../src/engine/cuda/driver/view.ts";
import { Classifier } from "../../../src/engine/cuda/mixed/classifier.ts";
import {
  encodeTrainingState,
  initialLossScale,
  lossScalingOf,
  TRAINING_STATE_BYTES,
} from "../../../src/engine/cuda/mixed/training_state.ts";
import { chunkTable, SCALARS_BYTES, scalarWords, Update } from "../../../src/engine/cuda/mixed/update.ts";
import { parameterCount } from "../../../src/model/config.ts";
import { OPTIMIZER } from "../task.ts";
import { type MixedContext, WINDOWS } from "./mixed_context.ts";

/** Rows of logits, the last ones of the pass. */
const LOGIT_ROWS = 256;
/** Loss scale of the classifier's case. */
const SCALE = 256;

export async function classifierCase(context: MixedContext): Promise<void> {
  const { writer, half, kernels, rows, model, unitRoundoff } = context;
  const { vocabularySize } = model;
  const count = Math.min(LOGIT_ROWS, rows), first = rows - count, tokenWeight = 1 / rows;
  const inputs = { logits: writer.random(half, [count, vocabularySize], 3), tokens: context.tokens() };
  const losses = writer.empty("f32", [rows]);
  const own = { ...losses, view: slice(losses.view, 4 * first, 4 * count), shape: [count] };
  const lossScale = { scale: SCALE, goodSteps: 0, hysteresis: 1 };
  const state = writer.put(encodeTrainingState(lossScale), "u32", [TRAINING_STATE_BYTES / 4]);
  const classifier = new Classifier(writer.device, kernels, model, WINDOWS);
  await writer.add(
    {
      operation: "cross_entropy",
      title: "cross-entropy with its gradient",
      shape: `${count} rows of ${vocabularySize}`,
      numbers: { first, weight: SCALE * tokenWeight },
    },
    inputs,
    { losses: { array: own, bound: 2e-6 }, gradient: { array: inputs.logits, bound: 1.1 * unitRoundoff } },
    () =>
      classifier.lossAndGradient(
        inputs.logits.view,
        { tokens: inputs.tokens.view, losses: losses.view },
        { first, count },
        state.view,
        tokenWeight,
      ),
  );
}

/** On a model of one layer and few words, whose vectors are short enough for files. */
export async function updateCase({ writer, half, kernels, model: whole, roundedOnce }: MixedContext): Promise<void> {
  const model = { ...whole, vocabularySize: 256, layers: 1 }, size = parameterCount(model);
  const scaling = lossScalingOf(half), lossScale = initialLossScale(scaling);
  const step = 5, learningRate = Math.fround(1e-3), blocks = 2;
  const table = chunkTable(model), decayed = new Float32Array(size);
  for (let i = 0; i < table.length; i += 3) {
    const [offset = 0, length = 0, decays = 0] = table.subarray(i, i + 3);
    decayed.fill(decays, offset, offset + length);
  }
  const inputs = {
    weights: writer.random("f32", [size], 0.02),
    firstMoments: writer.random("f32", [size], 1e-3),
    secondMoments: writer.random("f32", [size], 1e-6, 1e-5),
    gradient: writer.random("f32", [size], 0.1),
    decayed: writer.put(decayed, "f32", [size]),
  };
  const rounded = writer.empty(half, [size]);
  const views = {
    weights: inputs.weights.view,
    firstMoments: inputs.firstMoments.view,
    secondMoments: inputs.secondMoments.view,
    roundedWeights: rounded.view,
    chunks: writer.put(table, "u32", [table.length]).view,
    chunkSums: writer.empty("f32", [table.length / 3]).view,
    state: writer.put(encodeTrainingState(lossScale), "u32", [TRAINING_STATE_BYTES / 4]).view,
    scalars: writer.put(scalarWords(OPTIMIZER, learningRate, step), "f32", [SCALARS_BYTES / 4]).view,
  };
  const update = new Update(writer.device, kernels, model, scaling);
  await writer.add(
    {
      operation: "adamw",
      title: "norm, clipping and AdamW",
      shape: `${size} parameters`,
      numbers: { ...OPTIMIZER, learningRate, step, divisor: lossScale.scale * blocks },
    },
    inputs,
    {
      newWeights: { array: inputs.weights, bound: 1e-6 },
      newFirstMoments: { array: inputs.firstMoments, bound: 2e-6 },
      newSecondMoments: { array: inputs.secondMoments, bound: 2e-6 },
      rounded: { array: rounded, bound: roundedOnce },
    },
    () => {
      update.squares(inputs.gradient.view, update.whole, views);
      update.decide(blocks, OPTIMIZER.gradientClip, views);
      update.apply(inputs.gradient.view, update.whole, views);
    },
  );
}
