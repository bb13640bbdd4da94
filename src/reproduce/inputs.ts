/** Files that results depend on, which a manifest names by their digests. */
import { DATA_LOCK_PATH } from "../data/data_lock.ts";
import { type Digest, sha256 } from "../digest/sha256.ts";
import { type ExperimentFolders, EXPERIMENTS_FOLDER, readExperimentFiles } from "../experiment/catalogue.ts";

/** A file by its name and the digest of its bytes. */
export interface InputFile {
  /** relative to the repository; files of the user's own stand under `own-experiments/` */
  readonly name: string;
  readonly sha256: Digest;
}

/**
 * The files that a plan at a scale follows from: every experiment that the catalogue reads, and the scale.
 *
 * @throws {UserError} if one cannot be read or is not valid
 */
export async function planInputs(scale: string, folders: ExperimentFolders = {}): Promise<InputFile[]> {
  const { folder = EXPERIMENTS_FOLDER } = folders;
  const experiments = await readExperimentFiles(folders);
  return [
    ...experiments.map(({ name, bytes }) => ({ name, sha256: sha256(bytes) })),
    { name: `experiments/scales/${scale}.yaml`, sha256: await digestOf(new URL(`scales/${scale}.yaml`, folder)) },
  ];
}

/**
 * All files that a reproduction depends on.
 *
 * @param options.lockFile the user's own lockfile of data, which stands under the name of the project's
 * @throws {UserError} as {@linkcode planInputs} does
 */
export async function inputDigests(
  scale: string,
  { lockFile, ...folders }: ExperimentFolders & { readonly lockFile?: string } = {},
): Promise<InputFile[]> {
  return [
    { name: "deno.lock", sha256: await digestOf(new URL("../../deno.lock", import.meta.url)) },
    { name: DATA_LOCK_PATH, sha256: await digestOf(lockFile ?? new URL(`../../${DATA_LOCK_PATH}`, import.meta.url)) },
    ...await planInputs(scale, folders),
  ];
}

async function digestOf(path: string | URL): Promise<Digest> {
  return sha256(await Deno.readFile(path));
}
