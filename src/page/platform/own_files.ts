/** The project's files as they came along in the page: takes the place of `src/files/own_files.ts`. */
import type { OwnEntry } from "../../files/own_files.ts";
import { resource, resourcePaths } from "./resources.ts";

function pathOf(url: URL): string {
  return decodeURIComponent(url.pathname).replace(/^\/+/, "");
}

/** Contents of a file. */
export function readOwnFile(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  return Promise.resolve().then(() => resource(pathOf(url)));
}

/** What lies in a folder. */
export function listOwnFolder(url: URL): Promise<OwnEntry[]> {
  const folder = pathOf(url);
  const entries = new Map<string, OwnEntry>();
  for (const path of resourcePaths(folder)) {
    const [name = "", ...further] = path.slice(folder.length).split("/");
    entries.set(name, { name, isFolder: further.length > 0 });
  }
  return Promise.resolve([...entries.values()]);
}
