/** What a session takes, and how many sequences go through the model at a time. */
import { parameterCount } from "../../model/config.ts";
import type { SessionOptions } from "../engine.ts";
import { checkShapes } from "../ordered/shapes.ts";

/** How a batch is cut, and what that takes. */
export interface MemoryPlan {
  /** sequences of a micro-batch */
  readonly sequences: number;
  /** of tensors at the peak of a step, predicted */
  readonly bytes: number;
}

export function planMemory(options: SessionOptions, budget: number): MemoryPlan {
  checkShapes(options, "tensorflow");
  const { batchSequences, model } = options;
  void budget;
  return { sequences: batchSequences, bytes: 4 * parameterCount(model) };
}
