/** What to say where Deno denies a file: the permission that is missing, and the whole command that has it. */
import project from "../../deno.json" with { type: "json" };
import { UserError } from "../errors.ts";
import { PROJECT_FOLDER } from "./project.ts";

/** Folders of the system's that Deno opens for nobody but those who may do everything. */
const SYSTEM_FOLDER = /^\/(dev|proc|sys)(?=\/|$)/;

/** A permission that is asked for. */
export interface Asked {
  readonly access: "read" | "write";
  readonly path: string;
}

/**
 * The error for a path that Deno does not let this process have.
 *
 * @param doing the attempt in words: `write`, `read`, `lock`
 * @param asked what the process needs; more than what Deno stopped at where it is known
 */
export function deniedByDeno(
  doing: string,
  path: string,
  asked: readonly Asked[],
  options?: ErrorOptions,
): UserError {
  const system = asked.map((one) => SYSTEM_FOLDER.exec(wholePath(one.path))?.[0]).find((found) => found !== undefined);
  if (system !== undefined) {
    return new UserError(
      "PERMISSION_DENIED",
      `Cannot ${doing} "${path}", Deno opens ${system} only with --allow-all`,
      `${doing === "read" ? "copy the file elsewhere" : "choose a folder elsewhere"}, or run ${
        commandWith(["--allow-all"])
      }`,
      options,
    );
  }
  const flags = asked.map((one) => `--allow-${one.access}=${wholePath(one.path)}`);
  const what = asked.map((one) => one.access).join(" and ");
  return new UserError(
    "PERMISSION_DENIED",
    `Cannot ${doing} "${path}", Deno was not given the permission to ${what} there`,
    `add ${flags.join(" and ")}: ${commandWith(flags)}`,
    options,
  );
}

/** What an error of Deno's says that was missing; undefined where it is about no file. */
export function askedByDeno(error: Error, path: string): Asked | undefined {
  const [, access, named = path] = /^Requires (read|write|all) access to "(.*?)", run again/s.exec(error.message) ?? [];
  if (access === undefined) return undefined;
  // "all" is for the system's folders, where nothing less helps.
  return { access: access === "write" ? access : "read", path: named };
}

/**
 * This very command with further permissions, to be copied into a shell.
 *
 * @param flags such as `--allow-write=/mnt/runs`
 */
function commandWith(flags: readonly string[]): string {
  const own = flags.includes("--allow-all") ? [] : taskFlags();
  const merged = new Map<string, Set<string>>();
  for (const flag of [...own, ...flags]) {
    const [, name = flag, values] = /^(--[a-z-]+)(?:=(.*))?$/s.exec(flag) ?? [];
    const known = merged.get(name);
    // A flag without values is for everything, and stays so.
    if (values === undefined) merged.set(name, new Set());
    else if (known === undefined) merged.set(name, new Set([values]));
    else if (known.size > 0) known.add(values);
  }
  const words = [...merged].map(([name, values]) => values.size === 0 ? name : `${name}=${[...values].join(",")}`);
  const isInProject = Deno.cwd() === PROJECT_FOLDER;
  const program = isInProject
    ? ["src/cli/main.ts"]
    : ["--config", `${PROJECT_FOLDER}/deno.json`, `${PROJECT_FOLDER}/src/cli/main.ts`];
  const command = ["deno", "run", ...words, ...program, ...Deno.args].map(quoted).join(" ");
  // A task starts in the project's folder, and its user may stand elsewhere.
  return Deno.args[1] === "--from" && isInProject ? `cd ${quoted(PROJECT_FOLDER)} && ${command}` : command;
}

/** Permissions of the task that this process was started by, or would be: the GPU's where native code may be called. */
function taskFlags(): string[] {
  const tasks: Readonly<Record<string, { readonly command: string }>> = project.tasks;
  const [name = "", from, folder = Deno.cwd()] = Deno.args;
  const hasNative = Deno.permissions.querySync({ name: "ffi" }).state === "granted";
  const { command = "" } = (hasNative ? tasks[`${name}:cuda`] : undefined) ?? tasks[name] ?? {};
  const stands = from === "--from" ? folder : Deno.cwd();
  return (command.match(/--allow-\S+/g) ?? []).map((flag) => flag.replaceAll('"$INIT_CWD"', () => stands));
}

function wholePath(path: string): string {
  const isWhole = /^([/\\]|[A-Za-z]:[/\\])/.test(path);
  return isWhole ? path : `${Deno.cwd().replace(/\/$/, "")}/${path.replace(/^(\.\/+)+/, "").replace(/^\.$/, "")}`;
}

/** A word for a POSIX shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./*-]+$/.test(word) && !word.includes("*") ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
