/** What is in a folder. */
import { DENO_FILES } from "./deno_file_system.ts";
import { fileError } from "./file_error.ts";
import type { FileSystem } from "./file_system.ts";

/**
 * Names in a folder, sorted.
 *
 * @throws {UserError} if it is missing or cannot be read
 */
export async function listFolder(folder: string, files: FileSystem = DENO_FILES): Promise<string[]> {
  try {
    return await files.readFolder(folder);
  } catch (error) {
    throw fileError(error, "read", folder);
  }
}
