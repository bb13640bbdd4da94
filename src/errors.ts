/**
 * Errors a person is meant to read: what is wrong, where, what was expected, and what to do about it.
 * Everything else that is thrown is a bug.
 */
import type { ErrorCode } from "./error_codes.ts";

export type { ErrorCode } from "./error_codes.ts";

/** Process exit codes, stable for scripts. */
export const EXIT = {
  /** everything asked for was done, and every check passed */
  ok: 0,
  /** a check was made and failed */
  failed: 1,
  /** the request could not be carried out: bad input, missing files, no permission */
  unable: 2,
  /** nothing could be done now, and may be later: runs are held by others, or not ready (EX_TEMPFAIL) */
  waiting: 75,
  /** stopped by a signal or before its job's end; the same command resumes from the last checkpoint */
  interrupted: 130,
} as const;

/**
 * A problem in the user's input or environment.
 *
 * @example
 * ```ts
 * import { UserError } from "./errors.ts";
 *
 * const error = new UserError("UNKNOWN_SCALE", 'Unknown scale "tinny"', 'did you mean "tiny"?');
 * console.log(error.message); // Unknown scale "tinny": did you mean "tiny"?
 * ```
 */
export class UserError extends Error {
  /** for programs that cannot use `instanceof` */
  override readonly name = "UserError";

  /**
   * Its message is the problem, a colon, and the remedy.
   *
   * @param code stable identifier for programs, such as `DIGEST_MISMATCH`: one of `error_codes.ts`
   * @param problem what is wrong and where, what was found and what was expected; no final stop
   * @param remedy what to do
   */
  constructor(readonly code: ErrorCode, problem: string, remedy?: string, options?: ErrorOptions) {
    super(remedy === undefined ? problem : `${problem}: ${remedy}`, options);
  }
}

/** Whether an error is a {@linkcode UserError} with one of some codes. */
export function hasCode(error: unknown, ...codes: readonly ErrorCode[]): error is UserError {
  return error instanceof UserError && codes.includes(error.code);
}

/** Levenshtein distance of two strings, in edits. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, substitution));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/**
 * A sentence that helps someone who mistyped a name: the nearest match if one is near, and the choices.
 *
 * @example
 * ```ts
 * import { suggest } from "./errors.ts";
 *
 * console.log(suggest("tinny", ["smoke", "tiny"])); // did you mean "tiny"? (known: smoke, tiny)
 * ```
 */
export function suggest(given: string, known: readonly string[]): string {
  const nearest = known
    .map((name) => ({ name, distance: editDistance(given.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  const choices = `known: ${known.join(", ")}`;
  if (nearest !== undefined && nearest.distance <= Math.max(2, Math.ceil(given.length / 3))) {
    return `did you mean "${nearest.name}"? (${choices})`;
  }
  return choices;
}
