/** Files that results depend on, which a manifest names by their digests. */
import { DATA_LOCK_PATH, MAX_LOCK_BYTES } from "../data/data_lock.ts";
import { hasWindowsLineEnds, textDigest } from "../digest/line_ends.ts";
import type { Digest } from "../digest/sha256.ts";
import { type ExperimentFolders, EXPERIMENTS_FOLDER, readExperimentFiles } from "../experiment/catalogue.ts";
import { readOwnFile } from "../files/own_files.ts";
import { PROJECT } from "../files/project.ts";
import { readFileBounded } from "../files/read_file.ts";

/** A file by its name and the digest of its text, whatever line ends a checkout gives it. */
export interface InputFile {
  /** relative to the repository; files of the user's own stand under `own-experiments/` */
  readonly name: string;
  readonly sha256: Digest;
  /** whether it has Windows' line ends (CRLF) here */
  readonly hasWindowsLineEnds: boolean;
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
    ...experiments.map(({ name, bytes }) => inputFile(name, bytes)),
    inputFile(`experiments/scales/${scale}.yaml`, await readOwnFile(new URL(`scales/${scale}.yaml`, folder))),
  ];
}

/**
 * All files that a reproduction depends on.
 *
 * @param options.lockFile the user's own lockfile of data, which stands under the name of the project's
 * @throws {UserError} as {@linkcode planInputs} does
 */
export async function readInputs(
  scale: string,
  { lockFile, ...folders }: ExperimentFolders & { readonly lockFile?: string } = {},
): Promise<InputFile[]> {
  const ofProject = (name: string) => readOwnFile(new URL(name, PROJECT));
  const lock = await (lockFile === undefined ? ofProject(DATA_LOCK_PATH) : readFileBounded(lockFile, MAX_LOCK_BYTES));
  return [
    inputFile("deno.lock", await ofProject("deno.lock")),
    inputFile(DATA_LOCK_PATH, lock),
    ...await planInputs(scale, folders),
  ];
}

/** What a manifest states of an input. */
export type InputDigest = Pick<InputFile, "name" | "sha256">;

/** Names and digests of inputs, for a manifest. */
export function digestsOf(inputs: readonly InputFile[]): InputDigest[] {
  return inputs.map(({ name, sha256 }) => ({ name, sha256 }));
}

/** What to say of a checkout whose files have Windows' line ends; undefined if they have not. */
export function lineEndsWarning(inputs: readonly InputFile[]): string | undefined {
  const names = inputs.filter((file) => file.hasWindowsLineEnds).map(({ name }) => name);
  const [first] = names;
  if (first === undefined) return undefined;
  const more = names.length - 1;
  return `this checkout has Windows line ends (CRLF) in "${first}"${
    more === 0 ? "" : ` and ${more} more ${more === 1 ? "file" : "files"}`
  }: digests are taken of the text with LF, as in every other checkout; clone the repository again to have it so`;
}

function inputFile(name: string, bytes: Uint8Array): InputFile {
  return { name, sha256: textDigest(bytes), hasWindowsLineEnds: hasWindowsLineEnds(bytes) };
}
