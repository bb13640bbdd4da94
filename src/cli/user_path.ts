/**
 * From where paths are taken. `deno task` starts every task in the project's folder, and says in `INIT_CWD` where the
 * user stands: a path that is typed is meant from there. What nobody typed, experiments, lockfiles, caches, the key and
 * the output folder that are taken by default, is the project's and stays where it is.
 */
import { UserError } from "../errors.ts";
import { PROJECT_FOLDER } from "../files/project.ts";

const VARIABLE = "INIT_CWD";

/** As the tasks of deno.json give it, so that they need no permission to read the environment. */
export const FROM_OPTION = "--from";

let given: string | undefined;

/**
 * Takes `--from FOLDER` off the front of a command's words, where a task has put it.
 *
 * @throws {UserError} `NOT_A_FOLDER` if it names no folder by its whole path
 */
export function takeUserFolder(args: readonly string[]): readonly string[] {
  given = undefined;
  if (args[0] !== FROM_OPTION) return args;
  const [, folder = "", ...rest] = args;
  if (folder !== "" && !isAbsolute(folder)) {
    throw new UserError(
      "NOT_A_FOLDER",
      `"${FROM_OPTION}" is for the tasks of deno.json, and "${folder}" is no whole path`,
      "leave it out",
    );
  }
  given = folder === "" ? undefined : folder; // as where INIT_CWD is not set
  return rest;
}

/** The folder where the user stands. */
export function userFolder(): string {
  const here = Deno.cwd();
  return given ?? (here === PROJECT_FOLDER ? fromEnvironment() : undefined) ?? here;
}

/** For those who call main.ts by hand as a task would, in the project's folder. */
function fromEnvironment(): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable: VARIABLE }).state !== "granted") return undefined;
  const folder = Deno.env.get(VARIABLE) ?? "";
  return isAbsolute(folder) ? folder : undefined;
}

/** A path that the user typed, for this process: as it is where both stand in the same folder, else the whole path. */
export function userPath(path: string): string {
  const folder = userFolder();
  if (folder === Deno.cwd() || isAbsolute(path) || path === "") return path;
  const rest = path.replace(/^(\.\/+)+/, "").replace(/^\.$/, "");
  return rest === "" ? folder : `${folder.replace(/\/+$/, "")}/${rest}`;
}

/** A path of the project's that was not typed, in words that are right from where the user stands. */
export function projectPath(path: string): string {
  return userFolder() === Deno.cwd() ? path : wholePath(path);
}

/** From the root of the file system. */
export function wholePath(path: string): string {
  return isAbsolute(path) ? path : `${Deno.cwd().replace(/\/+$/, "")}/${path.replace(/^(\.\/+)+/, "")}`;
}

function isAbsolute(path: string): boolean {
  return /^([/\\]|[A-Za-z]:[/\\])/.test(path);
}
