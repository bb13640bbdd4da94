/** Compiled kernels in a folder, from one run to the next. A file that is damaged counts as missing. */
import { sha256, sha256Bytes } from "../digest/sha256.ts";
import { hasCode } from "../errors.ts";
import type { KernelCache } from "../engine/kernel_cache.ts";
import { writeFileDurably } from "./durable.ts";
import { filesWithin } from "./files_within.ts";
import { readFileBounded } from "./read_file.ts";

const DIGEST_BYTES = 32;
const MAX_IMAGE_BYTES = 2 ** 30;

/**
 * A cache in a folder, which is made when it is needed. Each file is the image's SHA-256 and the image: a cubin with a
 * flipped bit would load and compute something else.
 */
export function kernelFolder(folder: string): KernelCache {
  const files = filesWithin(folder);
  const pathOf = (digest: string) => `${folder}/${digest}.image`;
  return {
    async get(digest) {
      const path = pathOf(digest);
      if (await files.status(path) === undefined) return undefined;
      const bytes = await readFileBounded(path, MAX_IMAGE_BYTES, files);
      const image = bytes.slice(DIGEST_BYTES);
      const expected = bytes.subarray(0, DIGEST_BYTES);
      return expected.toHex() === sha256(image) ? image : undefined;
    },
    async put(digest, image) {
      const bytes = new Uint8Array(DIGEST_BYTES + image.length);
      bytes.set(sha256Bytes(image));
      bytes.set(image, DIGEST_BYTES);
      try {
        await writeFileDurably(pathOf(digest), bytes, { files });
      } catch (error) {
        // Where nothing may be written, kernels are compiled again the next time.
        if (!hasCode(error, "PERMISSION_DENIED", "READ_ONLY")) throw error;
      }
    },
  };
}
