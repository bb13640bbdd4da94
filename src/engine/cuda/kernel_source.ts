/**
 * The CUDA kernels' source as one text, the same for NVRTC, nvcc and g++: `#include "…"` is resolved here, once for each
 * file and only below `kernels/`, so that no compiler looks for a file. The kernels are listed with their parameters, so
 * that what launches them can be checked against their source.
 */
import { withLineFeeds } from "../../digest/line_ends.ts";
import { type Digest, sha256 } from "../../digest/sha256.ts";
import { type KernelDeclaration, kernelDeclarations, withoutComments } from "./kernel_declarations.ts";

/** Which kernels, and what their source leaves open. */
export interface KernelChoice {
  /** a folder of `kernels/`, such as `ordered` */
  readonly name: string;
  /** macros that its source expects, such as `HEAD_SIZE` */
  readonly definitions?: Readonly<Record<string, number>>;
}

/** Kernels that are compiled together: the `.cu` files of one folder of `kernels/`. */
export interface KernelUnit {
  /** the folder's name */
  readonly name: string;
  /** everything, definitions included, without includes */
  readonly text: string;
  /** of `text`'s UTF-8 */
  readonly digest: Digest;
  readonly kernels: ReadonlyMap<string, KernelDeclaration>;
  /** each `.cu` file on its own, without includes: what `text` is made of, for a compiler that works file by file */
  readonly files: readonly KernelFile[];
}

/** One `.cu` file. */
export interface KernelFile {
  /** below `kernels/`, such as `ordered/matmul.cu` */
  readonly path: string;
  readonly text: string;
  readonly kernels: readonly KernelDeclaration[];
}

/** Where the project's kernels lie. */
export const KERNELS_FOLDER: URL = new URL("kernels/", import.meta.url);

/** Reads the text of a file below the kernels' folder; `undefined` if it is not there. */
type Read = (path: string) => Promise<string | undefined>;

/** A path without `.` and `..`; `undefined` if it leads outside. */
function normalized(path: string): string | undefined {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}

/** Where an included file lies: beside the file that includes it, else below the kernels' folder. */
async function locate(name: string, from: string, read: Read): Promise<{ path: string; text: string }> {
  if (/^\/|\\|:/.test(name)) throw new Error(`"${from}" includes "${name}", which is no relative path`);
  const candidates = [normalized(`${from}/../${name}`), normalized(name)];
  for (const path of candidates) {
    if (path === undefined) continue;
    const text = await read(path);
    if (text !== undefined) return { path, text };
  }
  throw new Error(`"${from}" includes "${name}", which is not below the kernels' folder`);
}

/** Text of a file with what it includes in place; files that are in `seen` are left out. */
async function inlined(path: string, text: string, seen: Set<string>, read: Read): Promise<string> {
  seen.add(path);
  const lines = [`#line 1 "${path}"`];
  const bare = withoutComments(text).split("\n");
  for (const [index, line] of text.split("\n").entries()) {
    const directive = /^\s*#\s*(include|pragma\s+once|import)\b\s*(.*)$/.exec(bare[index] ?? "");
    if (directive === null) {
      lines.push(line);
      continue;
    }
    const [, kind = "", argument = ""] = directive;
    if (kind.startsWith("pragma")) {
      lines.push("");
      continue;
    }
    const name = /^"([^"]+)"\s*$/.exec(argument)?.[1];
    if (kind !== "include" || name === undefined) {
      throw new Error(
        `"${path}" line ${index + 1} has "${line.trim()}": only #include "…" of the project's files is known`,
      );
    }
    const found = await locate(name, path, read);
    if (seen.has(found.path)) {
      lines.push("");
      continue;
    }
    lines.push(await inlined(found.path, found.text, seen, read), `#line ${index + 2} "${path}"`);
  }
  return lines.join("\n");
}

/**
 * Reads a unit of kernels: the `.cu` files of a folder, in the order of their names.
 *
 * @param choice the folder's name alone, where its source leaves nothing open
 * @param folder where the unit's folder lies. Default: the project's kernels; files to include are looked for there as well
 * @throws {Error} if a file includes what is not below `folder`, or a kernel's declaration cannot be read
 */
export async function readKernelUnit(
  choice: KernelChoice | string,
  folder: URL = KERNELS_FOLDER,
): Promise<KernelUnit> {
  const { name, definitions = {} }: KernelChoice = typeof choice === "string" ? { name: choice } : choice;
  const texts = new Map<string, string | undefined>();
  const read: Read = async (path) => {
    if (!texts.has(path)) {
      texts.set(path, await readIfPresent(new URL(path, folder)) ?? await readIfPresent(new URL(path, KERNELS_FOLDER)));
    }
    return texts.get(path);
  };
  const head = definitionLines(definitions);
  const paths = (await Array.fromAsync(Deno.readDir(new URL(`${name}/`, folder))))
    .filter((entry) => entry.isFile && entry.name.endsWith(".cu"))
    .map((entry) => `${name}/${entry.name}`)
    .sort();
  const files: KernelFile[] = [];
  const together: string[] = [head];
  const seen = new Set<string>();
  const kernels = new Map<string, KernelDeclaration>();
  for (const path of paths) {
    const own = (await read(path)) ?? "";
    if (!seen.has(path)) together.push(await inlined(path, own, seen, read));
    const declared = kernelDeclarations(own, path);
    files.push({ path, text: head + await inlined(path, own, new Set(), read), kernels: declared });
    for (const kernel of declared) {
      if (kernels.has(kernel.name)) throw new Error(`"${path}" declares kernel "${kernel.name}" a second time`);
      kernels.set(kernel.name, kernel);
    }
  }
  const text = together.join("\n");
  if (kernelDeclarations(text, name).length !== kernels.size) {
    throw new Error(`A file that is included in "${name}" declares a kernel: kernels belong into .cu files`);
  }
  return { name, text, digest: sha256(text), kernels, files };
}

/** `#define` lines in the order of the names, so that equal definitions give equal text. */
function definitionLines(definitions: Readonly<Record<string, number>>): string {
  return Object.keys(definitions).sort().map((name) => {
    const value = definitions[name];
    if (!/^[A-Z][A-Z0-9_]*$/.test(name) || !Number.isSafeInteger(value)) {
      throw new Error(`A kernel's source cannot have the definition "${name}" as ${value}: integers only`);
    }
    return `#define ${name} ${value}\n`;
  }).join("");
}

async function readIfPresent(url: URL): Promise<string | undefined> {
  try {
    return withLineFeeds(await Deno.readTextFile(url));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.IsADirectory) return undefined;
    throw error;
  }
}
