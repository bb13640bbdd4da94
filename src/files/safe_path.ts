/** Paths out of files that others wrote: joined inside one folder only, and only to regular files in it. */
import { UserError } from "../errors.ts";
import { DENO_FILES } from "./deno_file_system.ts";
import { fileError } from "./file_error.ts";
import type { FileSystem } from "./file_system.ts";
import { printable, unsafeNameReason } from "./safe_name.ts";

/**
 * Joins a name from an untrusted file to a folder.
 *
 * @returns the path of a regular file inside `root`, which is there
 * @throws {UserError} `UNSAFE_PATH` if the name or a symbolic link leads out of `root`, or to something other than a
 * regular file; `FILE_NOT_FOUND` if there is nothing
 */
export async function resolveInside(
  root: string,
  name: string,
  files: FileSystem = DENO_FILES,
): Promise<string> {
  const unsafe = (reason: string) =>
    new UserError(
      "UNSAFE_PATH",
      `The name "${printable(name)}" ${reason}`,
      "only files inside the folder are read",
    );
  const reason = unsafeNameReason(name);
  if (reason !== undefined) throw unsafe(reason);
  const path = `${root}/${name}`;
  try {
    const realRoot = await files.realPath(root);
    const status = await files.status(path);
    if (status === undefined) {
      throw new UserError(
        "FILE_NOT_FOUND",
        `"${name}" is not in the folder "${root}"`,
        "restore the file",
      );
    }
    const real = await files.realPath(path);
    const inside = realRoot.endsWith("/") || realRoot.endsWith("\\") ? realRoot : realRoot + separatorOf(realRoot);
    if (!real.startsWith(inside)) {
      throw unsafe("leads out of the folder through a symbolic link");
    }
    // Looked at before it is opened: opening a named pipe would wait forever.
    const target = status.kind === "link" ? await files.status(real) : status;
    if (target?.kind !== "file") throw unsafe("is no regular file");
    return real;
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

function separatorOf(realPath: string): string {
  return realPath.startsWith("/") ? "/" : "\\";
}
