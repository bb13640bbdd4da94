/** What .dockerignore keeps out of a build, by a port of Docker's own matching. */
// @ts-types="./dockerignore.d.ts"
import dockerignore from "@balena/dockerignore";
import { PROJECT } from "./dockerfile.ts";

/** Whether a build sees a file of the project, by its path relative to it. */
export async function buildContext(): Promise<(path: string) => boolean> {
  const rules = dockerignore().add(await Deno.readTextFile(new URL(".dockerignore", PROJECT)));
  return (path) => !rules.ignores(path);
}

/** Paths of all files below a folder of the project, relative to the project. */
export async function* filesBelow(folder: string): AsyncGenerator<string, void> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(`${folder}/`, PROJECT))) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* filesBelow(path);
    else yield path;
  }
}
