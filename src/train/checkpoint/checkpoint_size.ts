/** How large a checkpoint can be: bounds what is read of one. Web-standard APIs only. */
import { type ModelConfig, parameterCount } from "../../model/config.ts";

/** Room for header and names beyond the tensors' bytes. */
const HEADER_ALLOWANCE = 16 * 2 ** 20;

/** No checkpoint of a model is larger than this, in bytes: weights and both moments as f32, and a header. */
export function maxCheckpointBytes(model: ModelConfig): number {
  return 12 * parameterCount(model) + HEADER_ALLOWANCE;
}
