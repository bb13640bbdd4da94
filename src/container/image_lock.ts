/** The lockfile of the container image: what it is built from, and the libraries that must be in it. */
import { z } from "zod";
import { digestSchema } from "../digest/digest_schema.ts";
import { UserError } from "../errors.ts";
import { parseYaml, validate } from "../text/yaml.ts";
import { readFileBounded } from "../files/read_file.ts";

/** Where the lockfile is in the project. */
export const IMAGE_LOCK_FILE = "lockfiles/image.lock.yaml";

const MAX_LOCK_BYTES = 1 << 20;

/** Where a value was read, in words. */
const sourceSchema = z.string().min(10).max(1000);

/** An image that the build takes files from. */
const pinnedImageSchema = z.strictObject({
  image: z.string().regex(/^[a-z0-9]+([./_-][a-z0-9]+)*$/, { error: "an image's name in lower case, without a tag" }),
  tag: z.string().regex(/^(?!latest$)[\w][\w.-]{0,127}$/, { error: 'a tag other than "latest"' }),
  sha256: digestSchema,
  source: sourceSchema,
});

/** A folder of the project, written relative to it. */
const folderSchema = z.string().max(500).regex(/^(?!\.)[\w@.-]+(\/(?!\.)[\w@.-]+)*$/, {
  error: "a folder relative to the project's, without parts that start with a dot",
});

const pinnedLibrarySchema = z.strictObject({
  file: z.string().regex(/^[\w-]+(\.so(\.\d+)*|\.node)$/, { error: "a library's file name without a folder" }),
  folder: folderSchema.optional(),
  package: z.string().min(1).max(200),
  engines: z.array(z.enum(["cuda", "tensorflow"])).min(1),
  source: sourceSchema,
});

const lockSchema = z.strictObject({
  version: z.literal(1),
  platform: z.literal("linux/amd64"),
  images: z.strictObject({ base: pinnedImageSchema, deno: pinnedImageSchema }),
  libraries: z.array(pinnedLibrarySchema).min(1).max(100),
}).refine(({ libraries }) => new Set(libraries.map(({ file }) => file)).size === libraries.length, {
  error: "each library's file name once",
});

/** An image that the build takes files from, by its digest. */
export type PinnedImage = z.infer<typeof pinnedImageSchema>;

/** A library that must be in the image. Without a `folder` the loader finds it by its name. */
export type PinnedLibrary = z.infer<typeof pinnedLibrarySchema>;

/** A read lockfile. */
export type ImageLock = z.infer<typeof lockSchema>;

/**
 * Reads a lockfile of an image.
 *
 * @param path the project's `lockfiles/image.lock.yaml` if not given
 * @throws {UserError} if it is missing or not of the form that the project's shows
 */
export async function readImageLock(
  path: string | URL = new URL(`../../${IMAGE_LOCK_FILE}`, import.meta.url),
): Promise<ImageLock> {
  const name = typeof path === "string" ? path : IMAGE_LOCK_FILE;
  const bytes = await readFileBounded(
    typeof path === "string" ? path : decodeURIComponent(path.pathname),
    MAX_LOCK_BYTES,
  );
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UserError("NOT_UTF8", `"${name}" is not UTF-8`);
  }
  return validate(lockSchema, parseYaml(text, name), name);
}

/** An image's name and tag, as a person reads it: `denoland/deno:2.9.6`. */
export function imageName({ image, tag }: PinnedImage): string {
  return `${image}:${tag}`;
}

/** How a Dockerfile names an image: `denoland/deno:2.9.6@sha256:2014…`. */
export function imageReference(image: PinnedImage): string {
  return `${imageName(image)}@sha256:${image.sha256}`;
}
