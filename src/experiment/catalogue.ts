/** The experiments and scales that stand as YAML files: rewarm's own in `experiments/`, and the user's in a folder. */
import { suggest, UserError } from "../errors.ts";
import { errnoOf, fileError } from "../files/file_error.ts";
import { listOwnFolder, readOwnFile } from "../files/own_files.ts";
import { PROJECT } from "../files/project.ts";
import type { Scale } from "./scale/scale.ts";
import { type Experiment, experimentSchema, scaleSchema } from "./schema.ts";
import { parseYaml, validate } from "../text/yaml.ts";

/** rewarm's own experiments, beside `src/`. */
export const EXPERIMENTS_FOLDER: URL = new URL("experiments/", PROJECT);

/** The file of the paper, which stands among the experiments and is none. */
export const PAPER_FILE_NAME = "paper.yaml";

/** Folder of the experiments that go beyond the paper, below rewarm's own. */
const BEYOND_FOLDER = "beyond/";

/**
 * Which of rewarm's experiments are meant: those that the paper made; those beyond it, with the pre-training that they
 * start from; or all.
 */
export type ExperimentSet = "paper" | "beyond" | "all";

/** What `--set` may say, the default first. */
export const EXPERIMENT_SETS: readonly ExperimentSet[] = ["paper", "beyond", "all"];

/** Where experiments are read from. */
export interface ExperimentFolders {
  /** rewarm's own; a URL that ends in a slash */
  readonly folder?: URL;
  /** default: those of the paper */
  readonly set?: ExperimentSet;
  /** the user's, which come on top */
  readonly ownExperiments?: URL;
}

/** An experiment with the file that it was read from. */
export interface ExperimentFile {
  /** how manifests and messages name it: `experiments/warmup-length.yaml`, `own-experiments/mine.yaml` */
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** the document, before defaults are filled in */
  readonly value: unknown;
  readonly experiment: Experiment;
  /** whether it is one of rewarm's own that go beyond the paper */
  readonly isBeyond: boolean;
}

/**
 * Reads the experiments of a set, in the order of the paper's sections; those of other sources follow, by name. Those
 * beyond the paper are never read without the paper's, whose runs they share.
 *
 * @throws {UserError} if a file cannot be read, is not valid, has another name than the experiment in it, or has the
 *   name of another experiment
 */
export async function readExperimentFiles(
  { folder = EXPERIMENTS_FOLDER, set = "paper", ownExperiments }: ExperimentFolders = {},
): Promise<ExperimentFile[]> {
  const files = [
    ...await readFolder(folder, "", "experiments/"),
    ...(set === "paper" ? [] : await readFolder(
      new URL(BEYOND_FOLDER, folder),
      BEYOND_FOLDER,
      `experiments/${BEYOND_FOLDER}`,
      true,
    )),
    ...(ownExperiments === undefined ? [] : await readFolder(ownExperiments, OWN_FOLDER, OWN_FOLDER)),
  ];
  files.sort((a, b) => compareExperiments(a.experiment, b.experiment));
  files.forEach(({ name, experiment }, index) => {
    const other = files.slice(0, index).find((file) => file.experiment.name === experiment.name);
    if (other === undefined) return;
    throw new UserError(
      "DUPLICATE_EXPERIMENT",
      `"${other.name}" and "${name}" are both the experiment "${experiment.name}"`,
      "rename one of them",
    );
  });
  return files;
}

/** How a folder of the user's is named, whatever it is called on their machine. */
const OWN_FOLDER = "own-experiments/";

async function readFolder(
  folder: URL,
  inMessages: string,
  inManifest: string,
  isBeyond = false,
): Promise<ExperimentFile[]> {
  const names = (await yamlFiles(folder)).filter((name) => name !== PAPER_FILE_NAME);
  return await Promise.all(names.map(async (name) => {
    const shown = `${inMessages}${name}`;
    const { bytes, value } = await readYaml(folder, name, shown);
    const experiment = validate(experimentSchema, value, shown);
    requireFileName(shown, experiment.name);
    return { name: `${inManifest}${name}`, bytes, value, experiment, isBeyond };
  }));
}

/** {@linkcode readExperimentFiles}, without the files. */
export async function loadExperiments(folders: ExperimentFolders = {}): Promise<Experiment[]> {
  return (await readExperimentFiles(folders)).map(({ experiment }) => experiment);
}

/** Whether files that a manifest was made from, by their names, are of the paper's set or go beyond it. */
export function setOfFiles(names: readonly string[]): ExperimentSet {
  return names.some((name) => name.startsWith(`experiments/${BEYOND_FOLDER}`)) ? "all" : "paper";
}

/**
 * Reads the file of the paper among the experiments.
 *
 * @throws {UserError} if it cannot be read or is not YAML
 */
export async function readPaperFile(
  folder: URL = EXPERIMENTS_FOLDER,
): Promise<Omit<ExperimentFile, "experiment" | "isBeyond">> {
  const name = `experiments/${PAPER_FILE_NAME}`;
  return { name, ...await readYaml(folder, PAPER_FILE_NAME, name) };
}

/**
 * Names of all scales in a folder, sorted.
 *
 * @throws {UserError} if the folder cannot be read
 */
export async function listScales(folder: URL = EXPERIMENTS_FOLDER): Promise<string[]> {
  return (await yamlFiles(new URL("scales/", folder))).map((file) => file.replace(/\.yaml$/, ""));
}

/**
 * Reads one scale.
 *
 * @throws {UserError} `UNKNOWN_SCALE` with the nearest match, or if the file cannot be read or is not valid
 */
export async function loadScale(scale: string, folder: URL = EXPERIMENTS_FOLDER): Promise<Scale> {
  const known = await listScales(folder);
  if (!known.includes(scale)) {
    throw new UserError("UNKNOWN_SCALE", `Unknown scale "${scale}"`, suggest(scale, known));
  }
  const file = `scales/${scale}.yaml`;
  const { value: stated } = await readYaml(folder, file, file);
  const value = validate(scaleSchema, stated, file);
  requireFileName(file, value.name);
  return value;
}

async function yamlFiles(folder: URL): Promise<string[]> {
  const names: string[] = [];
  try {
    for (const { name, isFolder } of await listOwnFolder(folder)) {
      if (!isFolder && name.endsWith(".yaml")) names.push(name);
    }
  } catch (error) {
    throw unreadable(decodeURIComponent(folder.pathname), error);
  }
  return names.sort();
}

async function readYaml(
  folder: URL,
  file: string,
  shown: string,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; value: unknown }> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await readOwnFile(new URL(file, folder));
  } catch (error) {
    throw unreadable(shown, error);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UserError("YAML_SYNTAX", `"${shown}" is not UTF-8 text`, "save it as UTF-8", { cause: error });
  }
  return { bytes, value: parseYaml(text, shown) };
}

function requireFileName(file: string, name: string): void {
  const expected = file.replace(/^.*\//, "").replace(/\.yaml$/, "");
  if (name === expected) return;
  throw new UserError(
    "INVALID_FIELD",
    `"${file}": name is "${name}", expected "${expected}" as the file is named`,
    "rename one of the two",
  );
}

function unreadable(what: string, error: unknown): unknown {
  if (errnoOf(error) === "ENOTCAPABLE") return fileError(error, "read", what);
  const reason = error instanceof Error ? error.message : String(error);
  return new UserError("UNREADABLE_FILE", `Cannot read "${what}" (${reason})`, "check that it is there and readable", {
    cause: error,
  });
}

/** The paper's sections first, then other sources; where these are equal, by name. */
function compareExperiments(a: Experiment, b: Experiment): number {
  const byName = a.name < b.name ? -1 : 1;
  if (a.section === undefined || b.section === undefined) {
    return Number(a.section === undefined) - Number(b.section === undefined) || byName;
  }
  return compareSections(a.section, b.section) || byName;
}

/** Order of section numbers: 4.2 before 4.10. */
function compareSections(a: string, b: string): number {
  const [left, right] = [a, b].map((section) => section.split(".").map(Number));
  const length = Math.max(left?.length ?? 0, right?.length ?? 0);
  for (let i = 0; i < length; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
