/** Experiments, scales and lockfiles as they lie on this machine: the project's own, and the user's of the same kind. */

/** What lies in a folder. */
export interface OwnEntry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** Contents of a file on this machine, by its URL. */
export function readOwnFile(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  return Deno.readFile(url);
}

/** What lies in a folder on this machine, in no particular order. */
export async function listOwnFolder(url: URL): Promise<OwnEntry[]> {
  const entries: OwnEntry[] = [];
  for await (const { name, isDirectory } of Deno.readDir(url)) entries.push({ name, isFolder: isDirectory });
  return entries;
}
