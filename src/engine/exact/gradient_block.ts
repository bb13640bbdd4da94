/** How the gradient of a block of windows starts. */
import type { Address } from "./kernels.ts";
import type { ModelTensors, Tensor } from "../../model/model_tensors.ts";

/**
 * Tensors whose gradients are joined to what stands there, neighbours as one. Matrices other than the embedding are not
 * among them: a block's first window starts their chains.
 */
export function joinedTensors({ embedding, layers, finalGain, finalShift }: ModelTensors): Tensor[] {
  const joined: Tensor[] = [];
  const add = ({ offset, size }: Tensor) => {
    const last = joined.at(-1);
    if (last !== undefined && last.offset + last.size === offset) {
      joined[joined.length - 1] = { offset: last.offset, size: last.size + size };
    } else {
      joined.push({ offset, size });
    }
  };
  add(embedding);
  for (const layer of layers) {
    for (const tensor of [layer.attentionGain, layer.attentionShift, layer.mlpGain, layer.mlpShift]) add(tensor);
    for (const tensor of [layer.queryKeyValueBias, layer.attentionOutBias, layer.mlpInBias, layer.mlpOutBias]) {
      add(tensor);
    }
  }
  add(finalGain);
  add(finalShift);
  return joined;
}

/** Where a window's gradient goes. */
export interface GradientBlock {
  /** of the flat gradient */
  readonly address: Address;
  /** whether the window is the block's first, so that the chains of matrices start from +0 */
  readonly fresh: boolean;
}
