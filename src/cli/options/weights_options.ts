/** What the commands have in common that take weights by their path: `import`, `export`, `sample`, `evaluate`. */
import { UserError } from "../../errors.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import { nameOf } from "../../files/durable.ts";
import { parameterCount } from "../../model/config.ts";
import { type OpenedWeights, openWeights } from "../../train/checkpoint/open_weights.ts";

/** Options of all of them. */
export const WEIGHTS_OPTIONS = {
  plan: { kind: "text", value: "FILE", path: true, help: "plan.json of a checkpoint that is not in its output folder" },
} as const;

/** How a usage line names the path. */
export const WEIGHTS_ARGUMENT = "CHECKPOINT|FOLDER";

/**
 * Opens the weights that a command line names. Close their source.
 *
 * @throws {UserError} `MISSING_ARGUMENT`, and as `openWeights`
 */
export async function weightsFromCommandLine(
  [path]: readonly string[],
  { plan }: { readonly plan?: string },
): Promise<OpenedWeights> {
  if (path === undefined) {
    throw new UserError(
      "MISSING_ARGUMENT",
      "No weights are named",
      "give a checkpoint, a file that import wrote, or a folder with config.json and model.safetensors",
    );
  }
  return await openWeights(path.replace(/(?<=.)\/+$/, ""), { plan });
}

/** What was opened, by its whole path, and what model it is. */
export async function describeWeights(opened: OpenedWeights): Promise<string> {
  const { source } = opened;
  const path = await DENO_FILES.realPath(source.name);
  const { layers, hiddenSize, heads, vocabularySize, sequenceLength } = source.model;
  const from = opened.kind === "checkpoint"
    ? `step ${opened.source.info.step} of run ${opened.source.run.label}`
    : nameOf(path);
  return `${path}\n${from}: ${
    parameterCount(source.model).toLocaleString("en")
  } parameters (${layers} layers, hidden size ` +
    `${hiddenSize}, ${heads} heads, vocabulary ${vocabularySize}, window ${sequenceLength})`;
}

/** Path of the `tokenizer.json` beside the weights, if they are a folder that has one. */
export async function ownTokenizer({ kind, source }: OpenedWeights): Promise<string | undefined> {
  if (kind !== "hugging face") return undefined;
  const path = `${source.name}/tokenizer.json`;
  return await DENO_FILES.status(path) === undefined ? undefined : path;
}
