/** What may stand for a model in a file that is not trusted. */
import { z } from "zod";
import type { ModelConfig } from "./config.ts";

/** Most layers of a model: engines list them one by one. */
const MAX_LAYERS = 10_000;

const positiveInteger = z.int().min(1);

/** A model that the kernels take: they go through rows eight elements at a time. */
export const modelSchema: z.ZodType<ModelConfig> = z.strictObject({
  hiddenSize: z.int().min(8).multipleOf(8),
  layers: positiveInteger.max(MAX_LAYERS),
  heads: positiveInteger,
  intermediateSize: z.int().min(8).multipleOf(8),
  vocabularySize: z.int().min(8).multipleOf(8).max(65536),
  sequenceLength: z.int().min(8).multipleOf(8),
  rotaryFraction: z.number().min(0).max(1),
  rotaryBase: z.number().positive(),
  layerNormEpsilon: z.number().positive(),
}).refine((model) => model.hiddenSize % (8 * model.heads) === 0, {
  path: ["heads"],
  error: "a number of heads whose dimension (hiddenSize / heads) is a multiple of 8",
}).refine((model) => model.rotaryFraction * model.hiddenSize / model.heads % 2 === 0, {
  path: ["rotaryFraction"],
  error: "a fraction that rotates an even number of each head's dimensions",
});
