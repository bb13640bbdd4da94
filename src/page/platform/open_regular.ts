/** Opening files where there is no operating system: takes the place of `src/files/open_regular.ts` in the page. */
import { UserError } from "../../errors.ts";
import type { OpenMode } from "../../files/file_system.ts";
import { type Content, find, isContent, lookUp, MemoryFile, place, platformError } from "./file_tree.ts";

/** Where `seek` counts from: there is no other way here. */
export const FROM_START = 0;

/** What the browser's workers have for reading a file at once. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

/** An open file with one position, as far as the code uses one. */
export class PageFile implements Disposable {
  #position = 0;

  constructor(private readonly content: Content) {}

  get size(): number {
    return this.content.size;
  }

  statSync(): { readonly size: number } {
    return { size: this.size };
  }

  #take(bytes: Uint8Array, into: Uint8Array): number | null {
    if (bytes.length === 0 && into.length > 0) return null;
    into.set(bytes);
    this.#position += bytes.length;
    return bytes.length;
  }

  async read(into: Uint8Array): Promise<number | null> {
    const end = this.#position + into.length;
    const piece = this.content.slice(this.#position, end);
    return this.#take(piece instanceof Blob ? new Uint8Array(await piece.arrayBuffer()) : piece, into);
  }

  readSync(into: Uint8Array): number | null {
    const end = this.#position + into.length;
    const piece = this.content.slice(this.#position, end);
    const bytes = piece instanceof Blob ? new Uint8Array(new FileReaderSync().readAsArrayBuffer(piece)) : piece;
    return this.#take(bytes, into);
  }

  #memory(): MemoryFile {
    if (this.content instanceof MemoryFile) return this.content;
    throw platformError("EROFS", "What the reader gave is not written to");
  }

  writeSync(bytes: Uint8Array): number {
    this.#memory().write(this.#position, bytes);
    this.#position += bytes.length;
    return bytes.length;
  }

  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(this.writeSync(bytes));
  }

  seekSync(offset: number): number {
    return this.#position = offset;
  }

  truncateSync(size = 0): void {
    this.#memory().truncate(size);
  }

  /** Nothing to do: what is in memory is nowhere else. */
  syncSync(): void {}

  /** Nobody else is here. */
  lock(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {}

  [Symbol.dispose](): void {}
}

function opened(path: string, mode: OpenMode, found: ReturnType<typeof find>): PageFile {
  if (found !== undefined && !isContent(found)) throw notAFile(mode === "read" ? "read" : "write", path);
  if (mode === "create" && found !== undefined) throw platformError("EEXIST", `"${path}" is there already`);
  if (found !== undefined) return new PageFile(found);
  if (mode === "read") throw platformError("ENOENT", `There is no "${path}"`);
  const made = new MemoryFile();
  place(path, made);
  return new PageFile(made);
}

/** Opens a file at its start; see the original. */
export async function openRegular(path: string, mode: OpenMode): Promise<PageFile> {
  return opened(path, mode, await lookUp(path));
}

/** {@linkcode openRegular} at once, for files that are there. */
export function openRegularSync(path: string, mode: OpenMode): PageFile {
  return opened(path, mode, find(path));
}

/** The error for a link; a page meets none. */
export function linkRefused(path: string): UserError {
  return new UserError("IS_A_LINK", `"${path}" is a link, and nothing is read through it here`);
}

/** The error for what is there and is no file. */
export function notAFile(doing: string, path: string): UserError {
  return new UserError("NOT_A_FILE", `Cannot ${doing} "${path}", it is no regular file`, "give the path of a file");
}
