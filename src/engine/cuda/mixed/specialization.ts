/** The mixed mode's kernels are compiled for one 16-bit format and one head: constants that their loops unroll by. */
import type { ModelConfig } from "../../../model/config.ts";
import { rotaryHalf } from "../../ordered/rotary_tables.ts";
import type { KernelChoice } from "../kernel_source.ts";
import type { MixedPrecision } from "./precision.ts";

/** Options of the compiler: multiply and add may contract, since this mode's bits belong to one GPU model anyway. */
export const MIXED_FLAGS: readonly string[] = ["--std=c++17"];

/** The largest head whose accumulators fit a thread's registers. */
const MAX_HEAD_SIZE = 128;
/** The widest row that a block of LayerNorm can hold, 8 columns a lane. */
const MAX_HIDDEN_SIZE = 8192;

/**
 * The kernels that a model needs.
 *
 * @throws {RangeError} if they do not cover the model's heads
 */
export function mixedKernelChoice(model: ModelConfig, precision: MixedPrecision): KernelChoice {
  const headSize = model.hiddenSize / model.heads;
  const half = rotaryHalf(model);
  const refuse = (problem: string): never => {
    throw new RangeError(`The cuda engine's mixed mode needs ${problem}`);
  };
  if (model.hiddenSize > MAX_HIDDEN_SIZE) {
    refuse(`a hidden size of at most ${MAX_HIDDEN_SIZE}, but it is ${model.hiddenSize}`);
  }
  if (headSize % 8 !== 0 || headSize > MAX_HEAD_SIZE) {
    refuse(`a head dimension that is a multiple of 8 up to ${MAX_HEAD_SIZE}, but it is ${headSize}`);
  }
  if (!Number.isInteger(half) || half < 1 || (half > 4 && half % 8 !== 0)) {
    refuse(`rotated dimensions of a head that are 2, 4, 6, 8 or a multiple of 16, but they are ${2 * half}`);
  }
  const definitions = { MIXED_BF16: precision === "bf16" ? 1 : 0, HEAD_SIZE: headSize, ROTARY_HALF: half };
  return { name: "mixed", definitions };
}
