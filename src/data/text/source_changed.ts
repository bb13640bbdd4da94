/** The error of a source that is not what it was. */
import { UserError } from "../../errors.ts";

/** `SOURCE_CHANGED`: the bytes that were read are others than those whose digest was taken. */
export function sourceChanged(path: string): UserError {
  return new UserError(
    "SOURCE_CHANGED",
    `"${path}" changed while it was read`,
    "wait until nothing writes to it, then give the same command again; what was downloaded is repaired by " +
      '"deno task data fetch --verify --scale NAME"',
  );
}
