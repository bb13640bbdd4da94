/** The part of `@std/cli/parse-args` that rewarm uses. */

export interface ParseOptions {
  boolean?: readonly string[];
  string?: readonly string[];
  collect?: readonly string[];
  alias?: Readonly<Record<string, string>>;
  /** called for every argument that is not declared; `false` leaves it out of the result */
  unknown?: (argument: string, key?: string, value?: unknown) => unknown;
}

export function parseArgs(
  args: readonly string[],
  options?: ParseOptions,
): { _: (string | number)[]; [name: string]: unknown };
