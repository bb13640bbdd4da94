/** Which files of a model's repository are its weights. */
import { UserError } from "../../errors.ts";
import type { HubFile } from "../../hub/listing.ts";

/** The file of weights that a fetched checkpoint is imported to, beside the files that it came in. */
export const IMPORTED_WEIGHTS = "weights.safetensors";

const CONFIG = "config.json";
const INDEX = "model.safetensors.index.json";
/** At the top, as an index names no file elsewhere. */
const SAFETENSORS = /^[^/]+\.safetensors$/;
const PICKLE = /^[^/]+\.(bin|pt|pth|ckpt)$/;

/**
 * What is pinned of a model's weights: configuration, safetensors, and the index of shards.
 *
 * @param id how messages name the repository
 * @throws {UserError} `NO_SAFETENSORS`, naming what it has in their place; `NO_MODEL_CONFIG`
 */
export function checkpointFiles(id: string, files: readonly HubFile[]): HubFile[] {
  const weights = files.filter(({ path }) => SAFETENSORS.test(path) && path !== IMPORTED_WEIGHTS);
  if (weights.length === 0) throw noSafetensors(id, files);
  if (!files.some(({ path }) => path === CONFIG)) {
    throw new UserError(
      "NO_MODEL_CONFIG",
      `"${id}" has ${weights.length === 1 ? `"${weights[0]?.path}"` : `${weights.length} files of weights`}, but no ` +
        `"${CONFIG}" to say which model they are of`,
      'name a repository with both under "start" in the scale\'s file',
    );
  }
  const chosen = new Set([...weights.map(({ path }) => path), CONFIG, INDEX]);
  return files.filter(({ path }) => chosen.has(path));
}

function noSafetensors(id: string, files: readonly HubFile[]): UserError {
  const pickle = files.find(({ path }) => PICKLE.test(path));
  const problem = `"${id}" has no file of weights that ends in .safetensors`;
  return pickle === undefined
    ? new UserError("NO_SAFETENSORS", `${problem} among its ${files.length}`, "check the name and the revision")
    : new UserError(
      "NO_SAFETENSORS",
      `${problem}, only "${pickle.path}"`,
      "a pickle can run any program and is not read; save that revision as safetensors into a repository of your own, " +
        'and name that under "start" in the scale\'s file',
    );
}
