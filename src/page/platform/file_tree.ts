/**
 * The files that a page has: those that the reader gave, which stay where they are and are read piece by piece, and those
 * that were made here, in memory. Errors are named as an operating system names them, so that one code explains both.
 */

/** A file that was made here: it grows as it is written. */
export class MemoryFile {
  #bytes = new Uint8Array(0);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The bytes from one offset up to another, as far as there are so many. */
  slice(from: number, to: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(Math.min(from, this.#size), Math.min(to, this.#size));
  }

  write(at: number, bytes: Uint8Array): void {
    const end = at + bytes.length;
    if (end > this.#bytes.length) this.#grow(end);
    this.#bytes.set(bytes, at);
    this.#size = Math.max(this.#size, end);
  }

  /** Cuts the file off, or fills it with zeros, at a length. */
  truncate(size: number): void {
    if (size > this.#bytes.length) this.#grow(size);
    this.#bytes.fill(0, Math.min(size, this.#size));
    this.#size = size;
  }

  #grow(least: number): void {
    const grown = new Uint8Array(Math.max(least, 2 * this.#bytes.length, 1 << 12));
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
  }
}

/** What a file holds. A `File` of the browser's is a `Blob`. */
export type Content = Blob | MemoryFile;

/** A folder of the page's own server, whose files are fetched when they are asked for. */
export interface RemoteFolder {
  /** The content of a file; undefined if the server has none. */
  fetch(name: string): Promise<Blob | undefined>;
}

type Folder = Map<string, Folder | Content>;

const root: Folder = new Map();
/** by path */
const remotes = new Map<string, RemoteFolder>();

/** An error as the operating system has it: `ENOENT`, `EEXIST`. */
export function platformError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function missing(path: string): Error {
  return platformError("ENOENT", `There is no "${path}"`);
}

/** The parts of a path; one that is relative begins at the root. */
function partsOf(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts;
}

/** A path from the root, without `.` and `..`. */
export function wholePath(path: string): string {
  return `/${partsOf(path).join("/")}`;
}

function isFolder(entry: Folder | Content | undefined): entry is Folder {
  return entry instanceof Map;
}

/** What is at a path already; a folder is a map. */
export function find(path: string): Folder | Content | undefined {
  let at: Folder | Content | undefined = root;
  for (const part of partsOf(path)) {
    if (!isFolder(at)) return undefined;
    at = at.get(part);
  }
  return at;
}

/** What is at a path, fetched if it is a remote folder's. */
export async function lookUp(path: string): Promise<Folder | Content | undefined> {
  const found = find(path);
  if (found !== undefined) return found;
  const whole = wholePath(path);
  for (const [folder, remote] of remotes) {
    if (!whole.startsWith(`${folder}/`)) continue;
    const content = await remote.fetch(whole.slice(folder.length + 1));
    if (content !== undefined) place(whole, content);
    return content;
  }
  return undefined;
}

/** Makes a folder with those above it. */
export function makeFolder(path: string): Folder {
  let at = root;
  for (const part of partsOf(path)) {
    let next = at.get(part);
    if (next === undefined) at.set(part, next = new Map());
    if (!isFolder(next)) throw platformError("ENOTDIR", `"${part}" is a file`);
    at = next;
  }
  return at;
}

/** Makes a folder whose files are a server's. */
export function mount(path: string, remote: RemoteFolder): void {
  makeFolder(path);
  remotes.set(wholePath(path), remote);
}

/** Puts a file at a path, in the place of what is there. */
export function place(path: string, content: Content): void {
  const parts = partsOf(path);
  const name = parts.pop();
  if (name === undefined) throw platformError("EISDIR", "The root is a folder");
  makeFolder(parts.join("/")).set(name, content);
}

/** Removes a file, or a folder with all that is in it. */
export function remove(path: string): void {
  const parts = partsOf(path);
  const name = parts.pop() ?? "";
  const folder = find(parts.join("/"));
  if (!isFolder(folder) || !folder.delete(name)) throw missing(path);
  remotes.delete(wholePath(path));
}

/** Gives a file or folder another path. */
export function move(from: string, to: string): void {
  const entry = find(from);
  if (entry === undefined) throw missing(from);
  remove(from);
  const parts = partsOf(to);
  const name = parts.pop() ?? "";
  makeFolder(parts.join("/")).set(name, entry);
}

/** Names in a folder, sorted. */
export function namesIn(path: string): string[] {
  const folder = find(path);
  if (folder === undefined) throw missing(path);
  if (!isFolder(folder)) throw platformError("ENOTDIR", `"${path}" is a file`);
  return [...folder.keys()].sort();
}

/** Whether what was found is a file. */
export function isContent(entry: Folder | Content | undefined): entry is Content {
  return entry !== undefined && !isFolder(entry);
}
