/** Leave to write where a task of deno.json does not give it. */
import { UserError } from "../errors.ts";

/**
 * Asks for it, on a terminal, before any work is done: what took hours is not to end without leave to write it.
 *
 * @param folder that will be written in
 * @param command that has the permission, for those who are not asked
 * @throws {UserError} `PERMISSION_DENIED`
 */
export async function requireWritePermission(folder: string, command: string): Promise<void> {
  const { state } = await Deno.permissions.request({ name: "write", path: folder });
  if (state === "granted") return;
  throw new UserError(
    "PERMISSION_DENIED",
    `Deno was not given the permission to write to "${folder}"`,
    `give the command as "${command}"`,
  );
}
