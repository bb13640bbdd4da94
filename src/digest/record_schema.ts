/**
 * Objects whose member names others chose. An object of JavaScript takes `__proto__` for something else, and zod's own
 * record drops such a member without a word, so that what was signed or stated would say more than what is read of it.
 */
import { z } from "zod";

/** The one name that an object cannot hold like any other. */
export const UNUSABLE_NAME = "__proto__";

/** A record as `z.record` has it, which refuses the member `__proto__` by name. */
export function recordSchema<Names extends z.ZodString, Values extends z.ZodType>(names: Names, values: Values) {
  return z.unknown().refine(
    (value) => typeof value !== "object" || value === null || !Object.hasOwn(value, UNUSABLE_NAME),
    {
      error: `no member named "${UNUSABLE_NAME}"`,
    },
  ).pipe(z.record(names, values));
}
