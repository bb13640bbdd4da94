/** How many threads train. */
import { UserError } from "../errors.ts";

const MOST_THREADS = 64;

/**
 * Threads to train with: all the machine has, unless told otherwise.
 *
 * @throws {UserError} `TOO_MANY_THREADS`
 */
export function threadCount({ threads }: { readonly threads?: number }): number {
  const count = threads ?? Math.min(MOST_THREADS, navigator.hardwareConcurrency);
  if (count > MOST_THREADS) {
    throw new UserError("TOO_MANY_THREADS", `--threads is ${count}`, `the exact engine takes at most ${MOST_THREADS}`);
  }
  return count;
}
