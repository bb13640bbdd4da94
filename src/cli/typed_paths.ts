/** Command lines whose words are paths: all of them are taken from where the user stands, in one place. */
import { type CommandLine, type Options, parseCommandLine, type Values } from "./arguments.ts";
import { userPath } from "./user_path.ts";

/**
 * `parseCommandLine`, with the values of path options and all positional words as paths for this process.
 *
 * @throws {UserError} as `parseCommandLine`
 */
export function parsePaths<T extends Options>(
  args: readonly string[],
  options: T,
  maxPositionals = 0,
): CommandLine<T> {
  const { values, positionals } = parseCommandLine(args, options, maxPositionals);
  return { values: withUserPaths(values, options), positionals: positionals.map(userPath) };
}

/** The path that a word is, or that follows a name in it. */
function afterName(word: string, separator: string | undefined): string {
  const at = separator === undefined ? -1 : word.indexOf(separator);
  return at === -1 ? userPath(word) : `${word.slice(0, at + 1)}${userPath(word.slice(at + 1))}`;
}

/** Values of which those of path options are paths for this process. */
export function withUserPaths<T extends Options>(values: Values<T>, options: T): Values<T> {
  const resolved: Record<string, unknown> = {};
  for (const [name, value] of Object.entries<unknown>(values)) {
    const option = options[name];
    const resolve = (word: unknown) =>
      typeof word !== "string" || option?.path !== true || option.words?.includes(word) === true
        ? word
        : afterName(word, option.pathAfter);
    resolved[name] = Array.isArray(value) ? value.map(resolve) : resolve(value);
  }
  return resolved as Values<T>;
}
