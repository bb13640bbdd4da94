/** A model's tensors in a Hugging Face checkpoint: which name, shape and type they have there, and what else may be. */
import { UserError } from "../errors.ts";
import { printable } from "../files/safe_name.ts";
import type { ModelConfig } from "./config.ts";
import { type ParameterShape, parameterShapes } from "./parameters.ts";
import { holdsWeights, type Safetensors, toFloat32 } from "../formats/safetensors/safetensors.ts";
import type { SafetensorsDtype } from "../formats/safetensors/safetensors_header.ts";

/** Names that newer versions of transformers may write. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([["embed_out.weight", "lm_head.weight"]]);

/** The remedy for files that are whole, and of another model. */
const TOGETHER = "check that the files belong together: config.json says which tensors there are";

/** What older versions of transformers stored with the weights, and what follows from the configuration alone. */
const BUFFER = /^gpt_neox\.layers\.(\d{1,5})\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)$/;

/**
 * The name under which a checkpoint has a tensor of the model.
 *
 * @param name of the checkpoint, for messages
 * @throws {UserError} `BAD_CHECKPOINT` if it is missing, has another shape, or holds no floating-point numbers
 */
export function findTensor(
  tensors: ReadonlyMap<string, { readonly dtype: SafetensorsDtype; readonly shape: readonly number[] }>,
  parameter: ParameterShape,
  name: string,
): string {
  const other = OTHER_NAMES.get(parameter.name) ?? parameter.name;
  const found = tensors.has(parameter.name) ? parameter.name : other;
  const tensor = tensors.get(found);
  if (tensor === undefined) {
    throw new UserError("BAD_CHECKPOINT", `"${name}" has no tensor "${parameter.name}"`, TOGETHER);
  }
  if (tensor.shape.join() !== parameter.shape.join()) {
    throw new UserError(
      "BAD_CHECKPOINT",
      `Tensor "${parameter.name}" of "${name}" has the shape [${tensor.shape}], expected [${parameter.shape}]`,
      TOGETHER,
    );
  }
  if (!holdsWeights(tensor.dtype)) {
    throw new UserError(
      "BAD_CHECKPOINT",
      `Tensor "${parameter.name}" of "${name}" has the type ${tensor.dtype}, expected F16, BF16, F32 or F64`,
      "save the model in one of these types; a quantized one must be expanded first",
    );
  }
  return found;
}

/**
 * The names of all of a model's tensors, in the order of `parameterShapes`, where a checkpoint has these and nothing
 * else but the buffers of older versions of transformers.
 *
 * @throws {UserError} `BAD_CHECKPOINT` as {@linkcode findTensor}, and naming a tensor that the model does not have
 */
export function findTensors(
  tensors: Parameters<typeof findTensor>[0],
  model: ModelConfig,
  name: string,
): readonly string[] {
  const names = parameterShapes(model).map((parameter) => findTensor(tensors, parameter, name));
  const known = new Set(names);
  for (const tensor of tensors.keys()) {
    const layer = BUFFER.exec(tensor)?.[1];
    if (known.has(tensor) || (layer !== undefined && Number(layer) < model.layers)) continue;
    throw new UserError(
      "BAD_CHECKPOINT",
      `"${name}" has a tensor "${printable(tensor)}", which a model of its configuration does not have`,
      TOGETHER,
    );
  }
  return names;
}

/**
 * Copies a checkpoint's tensors into the flat parameter vector.
 *
 * @throws {UserError} `BAD_CHECKPOINT` naming the tensor that is missing or has another shape
 */
export function loadWeights({ tensors }: Safetensors, config: ModelConfig, weights: Float32Array, name: string): void {
  for (const parameter of parameterShapes(config)) {
    const entry = tensors.get(findTensor(tensors, parameter, name));
    if (entry !== undefined) weights.set(toFloat32(entry), parameter.offset);
  }
}
