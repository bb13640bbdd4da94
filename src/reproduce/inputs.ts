/** Files of the repository that results hang on, which a manifest names by their digests. */
import { DATA_LOCK_PATH, MAX_LOCK_BYTES } from "../data/data_lock.ts";
import { hasWindowsLineEnds, textDigest } from "../digest/line_ends.ts";
import type { Digest } from "../digest/sha256.ts";
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

/** A file that results hang on. */
export interface Input {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * All such files by name.
 *
 * @param dataLock the user's own lockfile of data, which stands under the name of the project's
 */
export async function readInputs(scale: string, dataLock?: string): Promise<Input[]> {
  const names = ["deno.lock", DATA_LOCK_PATH, ...experimentFiles(scale)];
  return await Promise.all(names.map(async (name) => {
    const isOwn = name === DATA_LOCK_PATH && dataLock !== undefined;
    const bytes = isOwn
      ? await readFileBounded(dataLock, MAX_LOCK_BYTES)
      : await Deno.readFile(new URL(`../../${name}`, import.meta.url));
    return { name, bytes };
  }));
}

/** Digests of {@linkcode readInputs}, which are of their texts whatever the line ends. */
export async function inputDigests(scale: string, dataLock?: string): Promise<{ name: string; sha256: Digest }[]> {
  return (await readInputs(scale, dataLock)).map(({ name, bytes }) => ({ name, sha256: textDigest(bytes) }));
}

/** What to say of a checkout whose files have Windows' line ends; undefined if they have not. */
export function lineEndsWarning(inputs: readonly Input[]): string | undefined {
  const names = inputs.filter(({ bytes }) => hasWindowsLineEnds(bytes)).map(({ name }) => name);
  const [first] = names;
  if (first === undefined) return undefined;
  const files = names.length === 1 ? `"${first}"` : `"${first}" and ${names.length - 1} more files`;
  return `this checkout has Windows line ends (CRLF) in ${files}: digests are taken of the text with LF, as in every ` +
    "other checkout; to have the files themselves so, clone the repository again";
}
