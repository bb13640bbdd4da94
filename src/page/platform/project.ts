/** The project's folder stands for what came along in the page: takes the place of `src/files/project.ts`. */
import { resource } from "./resources.ts";

/** No address that anything is fetched from. */
export const PROJECT: URL = new URL("page:///");

/** Contents of a file by its path. */
export function fetchOwnFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return Promise.resolve().then(() => resource(path));
}
