/** Reads the project's own files from wherever the code came. Apart from `project.ts`, which what verifies imports too. */
import { PROJECT } from "./project.ts";

/**
 * Contents of a file of the project, also where the code was loaded from afar.
 *
 * @param path from the project's folder
 */
export async function fetchOwnFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await fetch(new URL(path, PROJECT))).arrayBuffer());
}
