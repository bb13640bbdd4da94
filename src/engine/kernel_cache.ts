/** Where engines keep compiled kernels from one run to the next. */

/** Binaries by digest; a cache may be empty and forget. */
export interface KernelCache {
  /** The binary kept under a digest of what it was made from, if it is still there. */
  get(digest: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Keeps a binary; later calls may find it or not. */
  put(digest: string, binary: Uint8Array<ArrayBuffer>): Promise<void>;
}
