/** Which Deno this program needs. Plain enough that a Deno which is too old reads it too. */
import { UserError } from "../errors.ts";

/** The first version with all that is used; tests and the container run on the one that `.ci` names. */
export const NEEDED_DENO = "2.9.0";

function numbers(version: string): number[] {
  return version.split(/[.+-]/).slice(0, 3).map(Number);
}

/**
 * Says what is wrong with a version of Deno; undefined if nothing is.
 *
 * @param found such as `2.8.3` or `2.9.6+6a1b2c3`
 */
export function denoProblem(found: string): UserError | undefined {
  const [has, needs] = [numbers(found), numbers(NEEDED_DENO)];
  const index = needs.findIndex((number, i) => has[i] !== number);
  if (index < 0 || (has[index] ?? 0) > (needs[index] ?? 0)) return undefined;
  return new UserError(
    "DENO_TOO_OLD",
    `This is Deno ${found}, and rewarm needs Deno ${NEEDED_DENO} or a newer one`,
    'run "deno upgrade", or put "npx deno@2.9" in the place of "deno"',
  );
}
