/** Options of a plan as words for another process, which may stand elsewhere. */
import type { Options } from "../../options.ts";
import { wholePath } from "../user_path.ts";

/**
 * What was given of some options, in words that mean the same from any folder.
 *
 * @param values as they were parsed
 * @param place a path as the other process finds it; by default this one's, from the root of the file system
 */
export function wordsOf(
  options: Options,
  values: Readonly<Record<string, unknown>>,
  place: (path: string) => string = wholePath,
): string[] {
  return Object.entries(options).flatMap(([name, { path = false, words = [] }]) => {
    const value = values[name];
    if (value === undefined) return [];
    if (value === true) return [`--${name}`];
    return [value].flat().map((one) => {
      const text = String(one);
      return `--${name}=${path && !words.includes(text) ? place(text) : text}`;
    });
  });
}
