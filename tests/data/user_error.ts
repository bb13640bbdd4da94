/** What tests of bad input expect. */
import { UserError } from "../../src/errors.ts";

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
