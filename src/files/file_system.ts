/** The file operations that rewarm needs, as an interface: tests put a layer under it that fails at any of them. */

/** What a path is. Symbolic links are not followed. */
export interface FileStatus {
  /** `other`: a device, a pipe or a socket */
  readonly kind: "file" | "folder" | "link" | "other";
  /** size of a file */
  readonly bytes: number;
  /** the same for all names of one file; absent where the system does not say */
  readonly identity?: string;
  /** when its contents changed last, in milliseconds since 1970 by the file system's clock, where it says so */
  readonly modifiedAt?: number;
}

/** An open file with one position for reads and writes. */
export interface FileHandle {
  /** Reads at the position, as much as comes; `null` at the end of the file. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes at the position; may write less than given, and says how much. */
  write(bytes: Uint8Array): Promise<number>;
  /** Moves the position to an offset from the start, in bytes. */
  seek(offset: number): Promise<void>;
  /** Cuts the file off, or fills it with zeros, at a length. */
  truncate(bytes: number): Promise<void>;
  /** Returns when contents and metadata are on the disk. */
  sync(): Promise<void>;
  /** What is open, by its handle rather than its path. */
  status(): Promise<FileStatus>;
  /** Takes an exclusive advisory lock that the operating system frees when the process ends; `false` if it is taken. */
  tryLock(): Promise<boolean>;
  /** Frees the handle and its lock. */
  close(): void;
}

/**
 * How a file is opened: `read`; `create`, which must not exist yet; `update`, for reading and writing, created where it
 * is missing.
 */
export type OpenMode = "read" | "create" | "update";

/** File operations. All throw the platform's own errors, with the errno name as `code`. */
export interface FileSystem {
  /**
   * Opens a regular file at its start.
   *
   * @param permissions POSIX mode of a file that is created; without effect on Windows
   */
  open(path: string, mode: OpenMode, permissions?: number): Promise<FileHandle>;
  /** Atomic within a folder; replaces a file of the new name. */
  rename(from: string, to: string): Promise<void>;
  /** A file or an empty folder. */
  remove(path: string): Promise<void>;
  /** Makes a folder and its parents; no error if it is there. */
  makeFolder(path: string): Promise<void>;
  /** Names in a folder, sorted. */
  readFolder(path: string): Promise<string[]>;
  /** `undefined` if there is nothing at the path. */
  status(path: string): Promise<FileStatus | undefined>;
  /** Absolute path without links. */
  realPath(path: string): Promise<string>;
  /** Returns when the entries of a folder are on the disk. */
  syncFolder(path: string): Promise<void>;
}
