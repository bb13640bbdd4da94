/** Leave to write where a task of deno.json does not give it, and a place that can be written. */
import { UserError } from "../errors.ts";
import { requireReplaceable } from "../files/deno_file_system.ts";
import { type Asked, deniedByDeno } from "../files/denied_by_deno.ts";
import { folderOf } from "../files/durable.ts";
import { fileError } from "../files/file_error.ts";
import { userFolder } from "./user_path.ts";

/**
 * Asks for it, on a terminal, before any work is done: what took hours is not to end without leave to write it.
 *
 * @param folder that will be written in
 * @throws {UserError} `PERMISSION_DENIED`, with the command that has the permission, for those who are not asked
 */
export async function requireWritePermission(folder: string): Promise<void> {
  requirePlainFolder();
  const missing: Asked[] = [];
  for (const access of ["read", "write"] as const) {
    if (await isDenied({ access, path: folder })) missing.push({ access, path: folder });
  }
  if (missing.length > 0) throw deniedByDeno("write in", folder, missing);
}

/**
 * The same for one file, where nothing but a regular file may be replaced.
 *
 * @param beside another file that is written in its folder
 * @throws {UserError} `PERMISSION_DENIED`; `IS_A_LINK` or `NOT_A_FILE` for what is there and is no file
 */
export async function requireWritableFile(path: string): Promise<void> {
  await requireWritePermission(folderOf(path));
  try {
    await requireReplaceable(path);
  } catch (error) {
    throw fileError(error, "write", path);
  }
}

/** Deno says "granted" of the system's folders too, and opens them all the same only for those who may do everything. */
async function isDenied({ access, path }: Asked): Promise<boolean> {
  if ((await Deno.permissions.request({ name: access, path })).state !== "granted") return true;
  if (!/^\/(dev|proc|sys)(\/|$)/.test(path)) return false;
  try {
    await Deno.lstat(path);
    return false;
  } catch (error) {
    return error instanceof Deno.errors.NotCapable;
  }
}

/** Tasks name the folder where the user stands in a list between commas; its parts would be other folders. */
function requirePlainFolder(): void {
  const folder = userFolder();
  if (!folder.includes(",")) return;
  throw new UserError(
    "UNSAFE_PATH",
    `The name of the folder "${folder}" has a comma, by which Deno parts the folders that a task may write to`,
    "give the command from another folder",
  );
}
