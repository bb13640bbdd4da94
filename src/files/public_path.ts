/** Paths as others may see them: without where on a machine its user keeps things, and so without the user's name. */
import { nameOf } from "./durable.ts";

/**
 * A relative path as it is; of one that leads out of the folder where the user stood, whole or by `..`, its last part.
 *
 * @example
 * ```ts
 * import { publicPath } from "./public_path.ts";
 *
 * console.log(publicPath("out/tiny")); // out/tiny
 * console.log(publicPath("/mnt/ada/runs/tiny/")); // tiny
 * ```
 */
export function publicPath(path: string): string {
  const leaves = /^([/\\~]|[A-Za-z]:|file:)/i.test(path) || path.split(/[/\\]/).includes("..");
  return leaves ? nameOf(path.replace(/[/\\]+$/, "")) : path;
}

/**
 * A word of a command line, with the path in it as {@linkcode publicPath} has it: of `--key=/mnt/ada/k.pem` and
 * `strong=/mnt/ada/german.jsonl` too.
 */
export function publicWord(word: string): string {
  const [, option = "", value = ""] = /^((?:--[^=]*=)?(?:[a-z0-9-]+=)?)(.*)$/s.exec(word) ?? [];
  return option + publicPath(value);
}
