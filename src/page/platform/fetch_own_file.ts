/** The project's files that came along in the page: takes the place of `src/files/fetch_own_file.ts`. */
import { resource } from "./resources.ts";

/** Contents of a file by its path. */
export function fetchOwnFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return Promise.resolve().then(() => resource(path));
}
