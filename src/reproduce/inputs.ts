/** Files of the repository that results hang on, which a manifest names by their digests. */
import { DATA_LOCK_PATH, MAX_LOCK_BYTES } from "../data/data_lock.ts";
import { type Digest, sha256 } from "../digest/sha256.ts";
import { readFileBounded } from "../files/read_file.ts";

const EXPERIMENTS = [
  "experiments/upstream.yaml",
  "experiments/warmup-length.yaml",
  "experiments/max-learning-rate.yaml",
  "experiments/from-scratch.yaml",
  "experiments/same-data.yaml",
  "experiments/earlier-checkpoints.yaml",
];

/** The files that a plan at a scale follows from. */
export function experimentFiles(scale: string): string[] {
  return [...EXPERIMENTS, `experiments/scales/${scale}.yaml`];
}

/**
 * Digests of all such files by name.
 *
 * @param dataLock the user's own lockfile of data, which stands under the name of the project's
 */
export async function inputDigests(scale: string, dataLock?: string): Promise<{ name: string; sha256: Digest }[]> {
  const names = ["deno.lock", DATA_LOCK_PATH, ...experimentFiles(scale)];
  return await Promise.all(names.map(async (name) => {
    const isOwn = name === DATA_LOCK_PATH && dataLock !== undefined;
    const bytes = isOwn
      ? await readFileBounded(dataLock, MAX_LOCK_BYTES)
      : await Deno.readFile(new URL(`../../${name}`, import.meta.url));
    return { name, sha256: sha256(bytes) };
  }));
}
