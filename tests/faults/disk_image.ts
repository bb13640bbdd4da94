/** What is on a disk, to be compared. */
import { sha256 } from "../../src/digest/sha256.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Contents of files and, as `undefined`, folders, by path. */
export type DiskImage = ReadonlyMap<string, Bytes | undefined>;

const digests = new WeakMap<Bytes, string>();

/** A digest of contents, computed once for each array. */
function digestOf(contents: Bytes): string {
  let digest = digests.get(contents);
  if (digest === undefined) digests.set(contents, digest = sha256(contents));
  return digest;
}

/** Images with the same contents under the same names have the same digest. */
export function imageDigest(image: DiskImage): string {
  let text = "";
  for (const [path, contents] of image) text += `${path} ${contents === undefined ? "/" : digestOf(contents)}\n`;
  return sha256(text);
}

/** The part of an image in some folders. */
export function below(image: DiskImage, folders: readonly string[]): DiskImage {
  return new Map([...image].filter(([path]) => folders.some((folder) => path.startsWith(`${folder}/`))));
}

/** The first path at which two images are not the same; `undefined` if they are. */
export function firstDifference(found: DiskImage, expected: DiskImage): string | undefined {
  for (const [path, contents] of expected) {
    if (!found.has(path)) return `"${path}" is missing`;
    const other = found.get(path);
    if (other === contents) continue;
    if (other === undefined || contents === undefined) return `"${path}" is a folder in one of them only`;
    if (digestOf(other) !== digestOf(contents)) return `"${path}" has other contents`;
  }
  for (const path of found.keys()) if (!expected.has(path)) return `"${path}" should not be there`;
  return undefined;
}
