/** Whether weights are of the model that they are wanted for. */
import { canonicalJson } from "../digest/canonical_json.ts";
import { UserError } from "../errors.ts";
import type { ModelConfig } from "./config.ts";
import type { WeightsSource } from "./weights_source.ts";

/**
 * Stops where weights are of another shape than a run's. The window length is no part of it: rotary positions have no
 * weights.
 *
 * @throws {UserError} `OTHER_MODEL`
 */
export function requireModel(source: Pick<WeightsSource, "name" | "model">, expected: ModelConfig): void {
  const shape = ({ sequenceLength: _, ...rest }: ModelConfig) => rest;
  const [found, wanted] = [shape(source.model), shape(expected)];
  if (canonicalJson(found) === canonicalJson(wanted)) return;
  const names = Object.keys(wanted) as (keyof typeof wanted)[];
  const differing = names.filter((name) => found[name] !== wanted[name]);
  throw new UserError(
    "OTHER_MODEL",
    `"${source.name}" has ${differing.map((name) => `${name} ${found[name]}`).join(", ")}, and the plan's model has ${
      differing.map((name) => `${name} ${wanted[name]}`).join(", ")
    }`,
    "give weights of the planned model, or plan with --model",
  );
}
