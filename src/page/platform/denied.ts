/** Nobody denies a page its own files: takes the place of `src/files/denied_by_deno.ts`. */

/** What was missing: nothing ever is. */
export function askedByDeno(): undefined {
  return undefined;
}

/** Never called, since nothing is asked for. */
export function deniedByDeno(doing: string, path: string): Error {
  return new Error(`Cannot ${doing} "${path}"`);
}
