/** The experiments and scales that stand as YAML files in a folder, `experiments/` by default. */
import { suggest, UserError } from "../errors.ts";
import type { Scale } from "./scale.ts";
import { type Experiment, experimentSchema, scaleSchema } from "./schema.ts";
import { parseYaml, validate } from "./yaml.ts";

/** rewarm's own experiments, beside `src/`. */
export const EXPERIMENTS_FOLDER: URL = new URL("../../experiments/", import.meta.url);

/** The file of claims, which stands among the experiments and is none. */
const CLAIMS_FILE = "paper.yaml";

/**
 * Reads all experiments, in the order of the paper's sections.
 *
 * @param folder a folder's URL, ending in a slash
 * @throws {UserError} if a file cannot be read, is not valid, or has another name than the experiment in it
 */
export async function loadExperiments(folder: URL = EXPERIMENTS_FOLDER): Promise<Experiment[]> {
  const files = (await yamlFiles(folder)).filter((file) => file !== CLAIMS_FILE);
  const experiments = await Promise.all(files.map(async (file) => {
    const experiment = validate(experimentSchema, await readYaml(folder, file), file);
    requireFileName(file, experiment.name);
    return experiment;
  }));
  return experiments.sort((a, b) => compareSections(a.section, b.section) || (a.name < b.name ? -1 : 1));
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
  const value = validate(scaleSchema, await readYaml(folder, file), file);
  requireFileName(file, value.name);
  return value;
}

async function yamlFiles(folder: URL): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (!entry.isDirectory && entry.name.endsWith(".yaml")) names.push(entry.name);
    }
  } catch (error) {
    throw unreadable(decodeURIComponent(folder.pathname), error);
  }
  return names.sort();
}

async function readYaml(folder: URL, file: string): Promise<unknown> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(new URL(file, folder));
  } catch (error) {
    throw unreadable(file, error);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UserError("YAML_SYNTAX", `"${file}" is not UTF-8 text`, "save it as UTF-8", { cause: error });
  }
  return parseYaml(text, file);
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

function unreadable(what: string, error: unknown): UserError {
  const reason = error instanceof Error ? error.message : String(error);
  return new UserError("UNREADABLE_FILE", `Cannot read "${what}" (${reason})`, "check that it is there and readable", {
    cause: error,
  });
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
