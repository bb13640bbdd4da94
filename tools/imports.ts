/** Imports between the files of `src/`, as they run: imports of types alone create no dependency at run time. */

/** A file of `src/` with the files that it imports. */
export interface SourceFile {
  /** from the repository, such as `src/digest/sha256.ts` */
  readonly path: string;
  readonly text: string;
  /** paths of files in `src/` */
  readonly imports: readonly string[];
}

/** An import or a re-export from a relative path, with what is imported. */
const IMPORT = /^\s*(?:import|export)\s+(?!type\b)([^;"']*?)\s*from\s+"(\.[^"]+)"/gm;
/** A list of types alone: `{ type A, type B }`. */
const TYPES_ALONE = /^\{(\s*type\s[^,}]+,?)+\s*\}$/;

/** Code without comments, so that prose does not count. */
export function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

/** Every TypeScript file of `src/`, by path. */
export async function sourceFiles(root: URL): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  const visit = async (folder: URL): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const url = new URL(name + (isDirectory ? "/" : ""), folder);
      if (isDirectory) await visit(url);
      else if (name.endsWith(".ts") && !name.endsWith(".d.ts")) files.push(await sourceFile(url, root));
    }
  };
  await visit(new URL("src/", root));
  return files.sort((a, b) => a.path < b.path ? -1 : 1);
}

async function sourceFile(url: URL, root: URL): Promise<SourceFile> {
  const text = await Deno.readTextFile(url);
  const imports = [...codeOf(text).matchAll(IMPORT)]
    .filter(([, names = ""]) => !TYPES_ALONE.test(names))
    .map(([, , target = ""]) => pathIn(root, new URL(target, url)));
  return { path: pathIn(root, url), text, imports: imports.filter((path) => path.startsWith("src/")) };
}

function pathIn(root: URL, url: URL): string {
  return decodeURIComponent(url.pathname.slice(root.pathname.length));
}

/** Everything that files import, directly or not, themselves included. */
export function closureOf(roots: readonly string[], files: readonly SourceFile[]): ReadonlySet<string> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set<string>();
  const queue = [...roots];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reached.has(path)) continue;
    const file = byPath.get(path);
    if (file === undefined) throw new Error(`There is no "${path}"`);
    reached.add(path);
    queue.push(...file.imports);
  }
  return reached;
}

/** Files that import each other in a circle, one list a circle; empty if there is none. */
export function circlesOf(files: readonly SourceFile[]): string[][] {
  const importsOf = new Map(files.map(({ path, imports }) => [path, imports]));
  const done = new Set<string>();
  const circles: string[][] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) circles.push([...trail.slice(start), path]);
    if (start >= 0 || done.has(path)) return;
    for (const target of importsOf.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const { path } of files) visit(path, []);
  return circles;
}
