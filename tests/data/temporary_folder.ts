/** A folder for one test. */
import { UserError } from "../../src/errors.ts";

/** Calls `use` with a new folder and removes it afterwards. */
export async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A predicate for `rejects`: a {@linkcode UserError} of a code whose message has all the parts. */
export function userError(code: string, ...parts: readonly string[]): (error: unknown) => boolean {
  return (error) => {
    if (!(error instanceof UserError)) throw error;
    if (error.code !== code) throw new Error(`Code ${error.code}, expected ${code}: ${error.message}`);
    const missing = parts.filter((part) => !error.message.includes(part));
    if (missing.length > 0) throw new Error(`The message lacks ${JSON.stringify(missing)}: ${error.message}`);
    return true;
  };
}
