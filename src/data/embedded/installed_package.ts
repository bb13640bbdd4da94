/** An npm package as it is installed on this machine. */
import { createRequire } from "node:module";
import { z } from "zod";
import { UserError } from "../../errors.ts";
import { readFileBounded } from "../../files/read_file.ts";

/** A package, by its own word and its files. */
export interface InstalledPackage {
  readonly version: string;
  /** of all its files, with "/", in no particular order */
  readonly paths: AsyncIterable<string> | Iterable<string>;
  /** Contents of one of them. */
  read(path: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Finds a package.
 *
 * @throws {UserError} `PACKAGE_NOT_FOUND`
 */
export async function installedPackage(name: string): Promise<InstalledPackage> {
  const packageJson = locatePackageJson(name);
  const folder = packageJson.slice(0, -"/package.json".length);
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(await Deno.readTextFile(packageJson)));
  return { version, paths: walk(folder), read: (path, maxBytes) => readFileBounded(`${folder}/${path}`, maxBytes) };
}

/** Path of an installed package's package.json: by this project's import map, or by Node's rules from this file. */
function locatePackageJson(name: string): string {
  const specifier = `${name}/package.json`;
  const attempts = [
    () => import.meta.resolve(specifier),
    () => createRequire(import.meta.url).resolve(specifier),
    () => createRequire(`${Deno.cwd()}/`).resolve(specifier),
  ];
  let cause: unknown;
  for (const attempt of attempts) {
    try {
      const found = attempt();
      const path = found.startsWith("file:") ? decodeURIComponent(new URL(found).pathname) : found;
      const onWindows = path.replace(/^\/([A-Za-z]:)/, "$1");
      if (Deno.statSync(onWindows).isFile) return onWindows;
    } catch (error) {
      cause = error;
    }
  }
  throw new UserError(
    "PACKAGE_NOT_FOUND",
    `The npm package "${name}", which the embedded corpus is made of, is not installed`,
    'run "deno install" in the project\'s folder',
    { cause },
  );
}

/** All files under a folder, as paths with "/", in no particular order. */
async function* walk(
  folder: string,
  prefix = "",
): AsyncGenerator<string, void> {
  for await (const entry of Deno.readDir(`${folder}/${prefix}`)) {
    if (entry.isDirectory) yield* walk(folder, `${prefix}${entry.name}/`);
    else if (entry.isFile) yield `${prefix}${entry.name}`;
  }
}
