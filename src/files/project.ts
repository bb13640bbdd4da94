/** Where the project's own files are: kernels, experiments, lockfiles. Web-standard APIs only. */

/** The project's folder, wherever the code came from. */
export const PROJECT: URL = new URL("../../", import.meta.url);

/**
 * Contents of a file of the project, also where the code was loaded from afar.
 *
 * @param path from the project's folder
 */
export async function fetchOwnFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await fetch(new URL(path, PROJECT))).arrayBuffer());
}
