/**
 * A disk in memory with a page cache before it, as strict as POSIX allows: what was written is on the disk only after
 * fsync of the file, and a name is there, gone or moved only after fsync of its folder. What a power cut does to the rest
 * is the test's choice.
 */
import { sha256Bytes } from "../../src/digest/sha256.ts";
import type { FileHandle, FileStatus, FileSystem } from "../../src/files/file_system.ts";
import type { DiskImage } from "./disk_image.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * What becomes of that which was not flushed when a process stops.
 *
 * - `kept`: all of it is there, since the process was killed and the machine went on
 * - `lost`: none of it, as after a power cut under the strict reading
 * - `torn`: names are there, and of new contents the first half
 * - `scattered`: each name and each sector of 512 bytes is there or not, as falls by a seed; sectors never written are 0
 */
export type Fate = "kept" | "lost" | "torn" | "scattered";

/** All fates. */
export const FATES: readonly Fate[] = ["kept", "lost", "torn", "scattered"];

const SECTOR = 512;
const NOTHING: Bytes = new Uint8Array(0);

/** Contents are replaced, never changed, so that images can share them. */
interface FileNode {
  readonly kind: "file";
  contents: Bytes;
  flushed: Bytes;
  isLocked: boolean;
}

interface FolderNode {
  readonly kind: "folder";
  readonly names: Map<string, Node>;
  flushed: Map<string, Node>;
}

type Node = FileNode | FolderNode;

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

function newFolder(): FolderNode {
  return { kind: "folder", names: new Map(), flushed: new Map() };
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}

/** A disk, and the files that a process sees on it. Paths are absolute. */
export class SimulatedDisk {
  readonly #root = newFolder();

  /** @param image everything in it is on the disk */
  constructor(image: DiskImage = new Map()) {
    for (const [path, contents] of image) {
      const parent = this.#folder(partsOf(path).slice(0, -1), path);
      const node: Node = contents === undefined
        ? newFolder()
        : { kind: "file", contents, flushed: contents, isLocked: false };
      const name = partsOf(path).at(-1) ?? "";
      parent.names.set(name, node);
      parent.flushed.set(name, node);
    }
  }

  /** The disk for the next process, where this one is killed now and the machine goes on: nothing is flushed by that. */
  afterKill(): SimulatedDisk {
    const copies = new Map<Node, Node>();
    const copyOf = (node: Node): Node => {
      const known = copies.get(node);
      if (known !== undefined) return known;
      const copy: Node = node.kind === "file" ? { ...node, isLocked: false } : newFolder();
      copies.set(node, copy);
      if (node.kind === "folder" && copy.kind === "folder") copyNames(node, copy);
      return copy;
    };
    const copyNames = (from: FolderNode, to: FolderNode) => {
      for (const [name, node] of from.names) to.names.set(name, copyOf(node));
      for (const [name, node] of from.flushed) to.flushed.set(name, copyOf(node));
    };
    const disk = new SimulatedDisk();
    copyNames(this.#root, disk.#root);
    return disk;
  }

  /** What the disk holds once the process has stopped now. */
  afterStop(fate: Fate, seed = ""): DiskImage {
    const image = new Map<string, Bytes | undefined>();
    const walk = (folder: FolderNode, path: string) => {
      const names = fate === "kept" ? folder.names.keys() : new Set([...folder.names.keys(), ...folder.flushed.keys()]);
      for (const name of [...names].sort()) {
        const below = `${path}/${name}`;
        const node = survivingNode(folder.names.get(name), folder.flushed.get(name), fate, `${seed}${below}`);
        if (node === undefined) continue;
        image.set(below, node.kind === "folder" ? undefined : survivingContents(node, fate, `${seed}${below}`));
        if (node.kind === "folder") walk(node, below);
      }
    };
    walk(this.#root, "");
    return image;
  }

  #node(parts: readonly string[], path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const part of parts) {
      if (node === undefined) return undefined;
      if (node.kind !== "folder") throw failure("ENOTDIR", path);
      node = node.names.get(part);
    }
    return node;
  }

  #folder(parts: readonly string[], path: string): FolderNode {
    const node = this.#node(parts, path);
    if (node === undefined) throw failure("ENOENT", path);
    if (node.kind !== "folder") throw failure("ENOTDIR", path);
    return node;
  }

  #parent(path: string): { readonly folder: FolderNode; readonly name: string } {
    const parts = partsOf(path);
    const name = parts.pop() ?? "";
    return { folder: this.#folder(parts, path), name };
  }

  /** The file layer of a process on this disk. */
  readonly files: FileSystem = {
    open: async (path, mode) => {
      await Promise.resolve();
      const { folder, name } = this.#parent(path);
      let node = folder.names.get(name);
      if (node === undefined) {
        if (mode === "read") throw failure("ENOENT", path);
        folder.names.set(name, node = { kind: "file", contents: NOTHING, flushed: NOTHING, isLocked: false });
      } else if (mode === "create") throw failure("EEXIST", path);
      if (node.kind === "folder") throw failure("EISDIR", path);
      return openFile(node);
    },
    rename: async (from, to) => {
      await Promise.resolve();
      const source = this.#parent(from);
      const target = this.#parent(to);
      const node = source.folder.names.get(source.name);
      if (node === undefined) throw failure("ENOENT", from);
      target.folder.names.set(target.name, node);
      source.folder.names.delete(source.name);
    },
    remove: async (path) => {
      await Promise.resolve();
      const { folder, name } = this.#parent(path);
      const node = folder.names.get(name);
      if (node === undefined) throw failure("ENOENT", path);
      if (node.kind === "folder" && node.names.size > 0) throw failure("ENOTEMPTY", path);
      folder.names.delete(name);
    },
    makeFolder: async (path) => {
      await Promise.resolve();
      let folder = this.#root;
      for (const part of partsOf(path)) {
        const node: Node = folder.names.get(part) ?? newFolder();
        if (node.kind !== "folder") throw failure("ENOTDIR", path);
        folder.names.set(part, node);
        folder = node;
      }
    },
    readFolder: async (path) => {
      await Promise.resolve();
      return [...this.#folder(partsOf(path), path).names.keys()].sort();
    },
    status: async (path) => {
      await Promise.resolve();
      const node = this.#node(partsOf(path), path);
      return node === undefined ? undefined : statusOf(node);
    },
    realPath: async (path) => {
      await Promise.resolve();
      if (this.#node(partsOf(path), path) === undefined) throw failure("ENOENT", path);
      return `/${partsOf(path).join("/")}`;
    },
    syncFolder: async (path) => {
      await Promise.resolve();
      const folder = this.#folder(partsOf(path), path);
      folder.flushed = new Map(folder.names);
    },
  };
}

function statusOf(node: Node): FileStatus {
  return { kind: node.kind, bytes: node.kind === "file" ? node.contents.length : 0 };
}

function openFile(node: FileNode): FileHandle {
  let position = 0;
  let holdsLock = false;
  return {
    read: async (into) => {
      await Promise.resolve();
      const piece = node.contents.subarray(position, position + into.length);
      if (piece.length === 0) return null;
      into.set(piece);
      position += piece.length;
      return piece.length;
    },
    write: async (bytes) => {
      await Promise.resolve();
      const contents = resized(node.contents, Math.max(node.contents.length, position + bytes.length));
      contents.set(bytes, position);
      position += bytes.length;
      node.contents = contents;
      return bytes.length;
    },
    seek: async (offset) => {
      await Promise.resolve();
      position = offset;
    },
    truncate: async (size) => {
      await Promise.resolve();
      node.contents = resized(node.contents, size);
    },
    sync: async () => {
      await Promise.resolve();
      node.flushed = node.contents;
    },
    status: () => Promise.resolve(statusOf(node)),
    tryLock: async () => {
      await Promise.resolve();
      if (node.isLocked) return false;
      return holdsLock = node.isLocked = true;
    },
    close: () => {
      if (holdsLock) node.isLocked = false;
    },
  };
}

/** A copy, cut or filled with zeros. */
function resized(bytes: Bytes, size: number): Bytes {
  const copy = new Uint8Array(size);
  copy.set(bytes.subarray(0, size));
  return copy;
}

/** A coin that falls the same way for the same seed, whatever random part temporary names have. */
function falls(seed: string): boolean {
  const fixed = seed.replaceAll(/\.[0-9a-f]{8}\.partial\b/g, ".partial");
  return ((sha256Bytes(new TextEncoder().encode(fixed))[0] ?? 0) & 1) === 0;
}

function survivingNode(
  node: Node | undefined,
  flushed: Node | undefined,
  fate: Fate,
  seed: string,
): Node | undefined {
  if (node === flushed) return node;
  const isThere = fate === "kept" || fate === "torn" || (fate === "scattered" && falls(seed));
  return isThere ? node : flushed;
}

function survivingContents({ contents, flushed }: FileNode, fate: Fate, seed: string): Bytes {
  if (contents === flushed || fate === "kept") return contents;
  if (fate === "lost") return flushed;
  if (fate === "torn") {
    return contents.length < flushed.length ? flushed : contents.slice(0, (flushed.length + contents.length + 1) >> 1);
  }
  const mixed = resized(flushed, falls(`${seed} size`) ? contents.length : Math.max(contents.length, flushed.length));
  for (let start = 0; start < mixed.length; start += SECTOR) {
    if (falls(`${seed} ${start}`)) mixed.set(contents.subarray(start, start + SECTOR), start);
  }
  return mixed;
}
