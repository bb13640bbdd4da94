/** What comes along in the page besides code: experiments, the lockfile, kernels, the embedded corpora. */
import { platformError } from "./file_tree.ts";

/** Where the code of the engine's workers lies among them. */
export const ENGINE_WORKER = "engine_worker.js";
/** Where the licences of everything that came along lie. */
export const LICENCES = "licences.txt";
/** Where compiled kernels lie. */
export const KERNELS = "kernels/";
/** Where the text of npm packages lies. */
export const PACKAGES = "packages/";

/** Files by their paths in the project, or in one of the folders above. */
export type Resources = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

let resources: Resources = new Map();

/** Sets the files; once, before anything else runs. */
export function setResources(files: Resources): void {
  resources = files;
}

/** @throws {Error} `ENOENT` if the page came without it */
export function resource(path: string): Uint8Array<ArrayBuffer> {
  const found = resources.get(path);
  if (found === undefined) throw platformError("ENOENT", `The page came without "${path}"`);
  return found;
}

/** Paths that begin so. */
export function resourcePaths(start: string): string[] {
  return [...resources.keys()].filter((path) => path.startsWith(start));
}

/**
 * Reads files that {@linkcode packResources} packed: a JSON array of paths and sizes on the first line, then the contents
 * one after the other.
 */
export function unpackResources(bytes: Uint8Array<ArrayBuffer>): Resources {
  const end = bytes.indexOf(0x0a);
  const names = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))) as [path: string, size: number][];
  let at = end + 1;
  return new Map(names.map(([path, size]) => [path, bytes.slice(at, at += size)]));
}

/** Packs files in the order of their paths: the same files give the same bytes. */
export function packResources(files: Resources): Uint8Array<ArrayBuffer> {
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const head = new TextEncoder().encode(`${JSON.stringify(sorted.map(([path, { length }]) => [path, length]))}\n`);
  const packed = new Uint8Array(head.length + sorted.reduce((sum, [, { length }]) => sum + length, 0));
  packed.set(head);
  let at = head.length;
  for (const [, contents] of sorted) {
    packed.set(contents, at);
    at += contents.length;
  }
  return packed;
}
