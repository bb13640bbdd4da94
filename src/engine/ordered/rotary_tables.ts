/** Cosines and sines of the rotary position embedding (docs/arithmetic.md §3). */
import { cos, exp, log, sin } from "../../arithmetic/elementary.ts";
import type { ModelConfig } from "../../model/config.ts";

/** Half the rotated dimensions of a head: pairs (i, i + half) turn together. */
export function rotaryHalf(model: ModelConfig): number {
  return model.rotaryFraction * (model.hiddenSize / model.heads) / 2;
}

/** Both tables of a model, made anew. */
export function rotaryTables(
  model: ModelConfig,
): { readonly cosines: Float32Array<ArrayBuffer>; readonly sines: Float32Array<ArrayBuffer> } {
  const size = model.sequenceLength * rotaryHalf(model);
  const tables = { cosines: new Float32Array(size), sines: new Float32Array(size) };
  writeRotaryTables(model, tables.cosines, tables.sines);
  return tables;
}

/**
 * Fills both tables, shape (T, half): angle(t, i) = t · base^(−i / half), in doubles, rounded once to f32.
 */
export function writeRotaryTables(model: ModelConfig, cosines: Float32Array, sines: Float32Array): void {
  const half = rotaryHalf(model);
  for (let i = 0; i < half; i++) {
    const frequency = exp(-(i / half) * log(model.rotaryBase));
    for (let position = 0; position < model.sequenceLength; position++) {
      cosines[position * half + i] = cos(position * frequency);
      sines[position * half + i] = sin(position * frequency);
    }
  }
}
