/** Which files of a model's repository are its weights. */
import { UserError } from "../../errors.ts";
import type { HubFile } from "../../hub/listing.ts";

/** The file of weights that a fetched checkpoint is imported to, beside the files that it came in. */
export const IMPORTED_WEIGHTS = "weights.safetensors";

const CONFIG = "config.json";
/** A form that weights come in, and the index of its shards. */
interface Form {
  /** at the top, as an index names no file elsewhere */
  readonly weights: RegExp;
  readonly index: string;
}
/** The first that a repository has is pinned, as it is the first that is read. */
const FORMS: readonly Form[] = [
  { weights: /^[^/]+\.safetensors$/, index: "model.safetensors.index.json" },
  { weights: /^pytorch_model(-\d{5}-of-\d{5})?\.bin$/, index: "pytorch_model.bin.index.json" },
];
/** Of neither form. */
const OTHER = /^[^/]+\.(bin|pt|pth|ckpt|h5|msgpack)$/;

/**
 * What is pinned of a model's weights: configuration, safetensors, and the index of shards; where there are no
 * safetensors, PyTorch's files.
 *
 * @param id how messages name the repository
 * @throws {UserError} `NO_SAFETENSORS` where there is neither, naming what it has in their place; `NO_MODEL_CONFIG`
 */
export function checkpointFiles(id: string, files: readonly HubFile[]): HubFile[] {
  for (const { weights: pattern, index } of FORMS) {
    const weights = files.filter(({ path }) => pattern.test(path) && path !== IMPORTED_WEIGHTS);
    if (weights.length === 0) continue;
    if (!files.some(({ path }) => path === CONFIG)) throw noConfig(id, weights);
    const chosen = new Set([...weights.map(({ path }) => path), CONFIG, index]);
    return files.filter(({ path }) => chosen.has(path));
  }
  throw noWeights(id, files);
}

function noConfig(id: string, weights: readonly HubFile[]): UserError {
  return new UserError(
    "NO_MODEL_CONFIG",
    `"${id}" has ${weights.length === 1 ? `"${weights[0]?.path}"` : `${weights.length} files of weights`}, but no ` +
      `"${CONFIG}" to say which model they are of`,
    'name a repository with both under "start" in the scale\'s file',
  );
}

function noWeights(id: string, files: readonly HubFile[]): UserError {
  const other = files.find(({ path }) => OTHER.test(path));
  const problem = `"${id}" has no file of weights that ends in .safetensors, and no pytorch_model.bin`;
  return other === undefined
    ? new UserError("NO_SAFETENSORS", `${problem}, among its ${files.length}`, "check the name and the revision")
    : new UserError(
      "NO_SAFETENSORS",
      `${problem}, only "${other.path}"`,
      "save that revision as safetensors into a repository of your own, " +
        'and name that under "start" in the scale\'s file',
    );
}
