/** The kernels of `kernels/mixed/` on a device, by name. */
import type { Kernel } from "../driver/kernel.ts";
import type { Module } from "../driver/module.ts";

/** Every kernel with its parameters, a letter each (driver/kernel.ts); a test holds them against the source. */
export const MIXED_SIGNATURES = {
  attention: "pppuuf",
  attention_backward_queries: "ppppppuuff",
  attention_backward_keys: "pppppuuff",
  sum_columns: "pppuuu",
  cross_entropy: "pppuuu",
  cross_entropy_backward: "ppppfuuu",
  sum_losses: "ppu",
  embed: "pppuuu",
  embedding_backward: "pppppu",
  bias_gelu: "pppuu",
  bias_gelu_backward: "ppppuu",
  matmul_nt_16: "pppuuu",
  matmul_nn_16: "pppuuu",
  matmul_nt_f32: "pppuuuuu",
  matmul_tn_f32: "pppuuuuu",
  sum_splits: "ppuuu",
  layer_norm: "pppppppuuuf",
  layer_norm_pair: "ppppppppppuuuf",
  layer_norm_backward: "ppppppppuuu",
  layer_norm_pair_backward: "ppppppppppuuu",
  carry_biases: "puuupuu",
  bias_rotary: "ppppuuu",
  bias_rotary_backward: "ppppuuu",
  sum_squares: "ppp",
  finish_gradient: "pupufuuf",
  adamw: "pppppppp",
  round_weights: "ppu",
  add_gradient: "ppu",
} as const;

/** Kernels to launch, each typed by its parameters. */
export type MixedKernels = {
  readonly [Name in keyof typeof MIXED_SIGNATURES]: Kernel<(typeof MIXED_SIGNATURES)[Name]>;
};

/**
 * Looks all kernels up.
 *
 * @throws {CudaError} if the image lacks one
 */
export function loadMixedKernels(module: Module): MixedKernels {
  const kernels = Object.entries(MIXED_SIGNATURES).map(([name, signature]) => [name, module.kernel(name, signature)]);
  // Made from the very table that the type is made from.
  return Object.fromEntries(kernels) as MixedKernels;
}
