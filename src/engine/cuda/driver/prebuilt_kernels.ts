/**
 * Kernels compiled beforehand, for machines without NVRTC: a folder with one index a set of kernels, named by its
 * digest, and one image a target.
 *
 * ```
 * 41e3….json          {"compiler":"nvcc 13.0","images":{"compute_80":"<sha256>","sm_90":"<sha256>"}}
 * 41e3…-compute_80    PTX
 * 41e3…-sm_90         cubin
 * ```
 */
import { z } from "zod";
import { canonicalJson } from "../../../digest/canonical_json.ts";
import { digestSchema } from "../../../digest/digest_schema.ts";
import { sha256, shortDigest } from "../../../digest/sha256.ts";
import { UserError } from "../../../errors.ts";
import { writeFileDurably } from "../../../files/durable.ts";
import { filesWithin } from "../../../files/files_within.ts";
import { readRegular } from "../../../files/open_regular.ts";
import type { KernelCompiler } from "./kernel_compiler.ts";
import { chooseTarget, parseTarget, type Target } from "./target.ts";

/** What the index of a set of kernels holds. */
const indexSchema = z.strictObject({
  /** such as `nvcc 13.0` */
  compiler: z.string().min(1),
  /** SHA-256 of each image, by target */
  images: z.record(z.string().regex(/^(sm|compute)_\d{2,3}$/), digestSchema),
});

/** The index of a set of kernels. */
type PrebuiltIndex = z.infer<typeof indexSchema>;

/** Path of an index. */
function indexPath(folder: string, digest: string): string {
  return `${folder}/${digest}.json`;
}

/** Path of an image. */
function imagePath(folder: string, digest: string, target: Target): string {
  return `${folder}/${digest}-${target}`;
}

/** An image that was found. */
export interface PrebuiltImage {
  readonly image: Uint8Array<ArrayBuffer>;
  readonly target: Target;
  readonly compiler: string;
}

/**
 * Reads the best image for a device.
 *
 * @param digest of the kernels' source and flags
 * @throws {UserError} `CUDA_UNAVAILABLE` if the folder has none for these kernels or this device;
 * `DIGEST_MISMATCH` if it is damaged
 */
export async function readPrebuilt(
  folder: string,
  digest: string,
  computeCapability: readonly [number, number],
): Promise<PrebuiltImage> {
  const path = indexPath(folder, digest);
  let text: string;
  try {
    text = new TextDecoder().decode(await readRegular(path));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError(
      "CUDA_UNAVAILABLE",
      `"${folder}" has no kernels ${shortDigest(digest)}`,
      "build them from the same version of rewarm",
      { cause: error },
    );
  }
  const index = parseIndex(path, text);
  const targets = Object.keys(index.images).map(parseTarget);
  const target = chooseTarget(computeCapability, targets);
  if (target === undefined) {
    throw new UserError(
      "CUDA_UNAVAILABLE",
      `The kernels in "${folder}" are for ${targets.join(", ")}, and the GPU is sm_${computeCapability.join("")}`,
      `build them with "--architectures sm_${computeCapability.join("")}"`,
    );
  }
  const image = await readRegular(imagePath(folder, digest, target));
  const found = sha256(image);
  const expected = index.images[target];
  if (found !== expected) {
    throw new UserError(
      "DIGEST_MISMATCH",
      `"${imagePath(folder, digest, target)}" has the digest ${found}, and its index says ${expected}`,
      "build the kernels again",
    );
  }
  return { image, target, compiler: index.compiler };
}

function parseIndex(path: string, text: string): PrebuiltIndex {
  try {
    return indexSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new UserError("BAD_FILE", `"${path}" is no index of kernels`, "build the kernels again", { cause: error });
  }
}

/**
 * Compiles kernels for several targets into a folder, from where {@linkcode readPrebuilt} takes them.
 *
 * @param digest of source and flags
 * @param targets machine code for the GPUs that are known, and PTX for newer ones
 * @returns the compiled images' digests, by target
 */
export async function writePrebuilt(
  folder: string,
  { digest, source, flags }: { digest: string; source: string; flags: readonly string[] },
  targets: readonly Target[],
  compiler: KernelCompiler,
): Promise<Record<string, string>> {
  const files = filesWithin(folder);
  const images: Record<string, string> = {};
  for (const target of targets) {
    const image = await compiler.compile(source, flags, target);
    await writeFileDurably(imagePath(folder, digest, target), image, { files });
    images[target] = sha256(image);
  }
  const index = canonicalJson({ compiler: compiler.compiler, images });
  await writeFileDurably(indexPath(folder, digest), index + "\n", { files });
  return images;
}
