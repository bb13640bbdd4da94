/** Files of one folder: nothing below it is reached through a symbolic link. */
import { DENO_FILES } from "./deno_file_system.ts";
import type { FileSystem } from "./file_system.ts";
import { linkRefused } from "./open_regular.ts";

/**
 * The files below a folder. The folder itself may be a link, which whoever named it made on purpose: to another disk,
 * say. A link below it, or a folder below it that is one, may lead to files that are not the folder's, and is refused
 * for reading and writing alike.
 *
 * @param root as paths begin that are given to it; others are left to `files`
 */
export function filesWithin(root: string, files: FileSystem = DENO_FILES): FileSystem {
  const start = `${root.replace(/[/\\]+$/, "")}/`;

  /** @param last whether the last part must be no link either */
  async function refuseLinks(path: string, last: boolean): Promise<void> {
    if (!path.startsWith(start)) return;
    const parts = path.slice(start.length).split(/[/\\]/).filter((part) => part !== "");
    const checked = last ? parts.length : parts.length - 1;
    let at = start.slice(0, -1);
    for (const part of parts.slice(0, checked)) {
      at += `/${part}`;
      const status = await files.status(at);
      if (status === undefined) return;
      if (status.kind === "link") throw linkRefused(at);
    }
  }

  return {
    async open(path, mode, permissions) {
      await refuseLinks(path, true);
      return await files.open(path, mode, permissions);
    },
    async rename(from, to) {
      await refuseLinks(from, true);
      await refuseLinks(to, true);
      await files.rename(from, to);
    },
    async remove(path) {
      await refuseLinks(path, false);
      await files.remove(path);
    },
    async makeFolder(path) {
      await refuseLinks(path, true);
      await files.makeFolder(path);
    },
    async readFolder(path) {
      await refuseLinks(path, true);
      return await files.readFolder(path);
    },
    async status(path) {
      await refuseLinks(path, false);
      return await files.status(path);
    },
    realPath: (path) => files.realPath(path),
    async syncFolder(path) {
      await refuseLinks(path, true);
      await files.syncFolder(path);
    },
  };
}

/** Throws if a path below a folder is, or goes through, a symbolic link; for what is done by other means. */
export async function requireNoLinks(root: string, path: string, files: FileSystem = DENO_FILES): Promise<void> {
  const status = await filesWithin(root, files).status(path);
  if (status?.kind === "link") throw linkRefused(path);
}
