/** SHA-256 of files by WebAssembly, since WebCrypto's takes no pieces: takes the place of `src/files/file_digest.ts`. */
import { createSHA256 } from "hash-wasm";
import { type Digest, isDigest } from "../../digest/sha256.ts";
import type { FileDigestOptions, RunningHash } from "../../files/file_digest.ts";
import { readChunks } from "../../files/read_file.ts";
import { DENO_FILES } from "./file_system.ts";

/** One for all hashes that are under way: each keeps its own state between pieces. */
const HASHER = await createSHA256();

/** A new hash. */
export function createFileHash(): RunningHash {
  HASHER.init();
  let state = HASHER.save();
  const peek = (): Digest => {
    HASHER.load(state);
    const digest = HASHER.digest("hex");
    if (!isDigest(digest)) throw new Error(`SHA-256 gave "${digest}"`);
    return digest;
  };
  return {
    update(bytes) {
      HASHER.load(state);
      HASHER.update(bytes);
      state = HASHER.save();
    },
    peek,
    finish: peek,
  };
}

/** The SHA-256 of a whole file, or of a part of it, read piece by piece. */
export async function digestFile(path: string, options: FileDigestOptions = {}): Promise<Digest> {
  const { files = DENO_FILES, range, onBytes, signal } = options;
  const hash = createFileHash();
  for await (const bytes of readChunks(path, files, range)) {
    signal?.throwIfAborted();
    hash.update(bytes);
    onBytes?.(bytes);
  }
  return hash.finish();
}
