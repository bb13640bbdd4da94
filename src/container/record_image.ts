/**
 * The last step of the image's build: stops it where a library is missing, and leaves `image.json`, from which
 * manifests take what the container is. Linux only; needs all permissions.
 */
import { print, printFailure } from "../terminal.ts";
import { canonicalJson } from "../digest/canonical_json.ts";
import { createSha256, type Digest } from "../digest/sha256.ts";
import { EXIT, UserError } from "../errors.ts";
import { writeFileDurably } from "../files/durable.ts";
import { readChunks } from "../files/read_file.ts";
import { IMAGE_FILE } from "./describe.ts";
import type { ImageFacts, NamedDigest } from "./facts.ts";
import { IMAGE_LOCK_FILE, type ImageLock, imageName, type PinnedLibrary, readImageLock } from "./image_lock.ts";

/** The files that decide what is in the image, besides the source. */
const RECIPE = ["Dockerfile", "deno.lock", IMAGE_LOCK_FILE, "lockfiles/tensorflow/deno.lock"];

/** What the build knows. */
export interface RecordOptions {
  /** the project's folder in the image, without a final slash */
  readonly root: string;
  readonly lock: ImageLock;
  /** what the image is built for, as the lockfile writes it */
  readonly platform: string;
  /** whether TensorFlow's own libraries were installed */
  readonly tensorflow: boolean;
  /** where the source is, as the builder says */
  readonly source: string;
  /** commit of the source, as the builder says */
  readonly revision: string;
  /**
   * Loads a library by a name that the loader looks for, or by its path; the path of the file that was loaded.
   *
   * @throws {Error} with the loader's words
   */
  readonly load: (nameOrPath: string) => Promise<string>;
}

/**
 * What an image was built from, all of it measured but `source`, `revision` and the bases, which the lockfile names.
 *
 * @throws {UserError} `IMAGE_PLATFORM` if it is built for another machine, `IMAGE_LIBRARY_MISSING` with every library
 * that cannot be loaded
 */
export async function recordImage(options: RecordOptions): Promise<ImageFacts> {
  const { root, lock, platform, source, revision } = options;
  if (platform !== lock.platform) {
    throw new UserError(
      "IMAGE_PLATFORM",
      `The image is built for ${platform}, but ${IMAGE_LOCK_FILE} is for ${lock.platform}`,
      `build it with "--platform ${lock.platform}"`,
    );
  }
  const { base, deno } = lock.images;
  return {
    bases: [base, deno].map((image) => ({ name: imageName(image), sha256: image.sha256 })),
    recipe: await Promise.all(RECIPE.map(async (name) => ({ name, sha256: await digestOf(`${root}/${name}`) }))),
    libraries: await recordLibraries(options),
    source,
    revision,
  };
}

async function recordLibraries({ root, lock, tensorflow, load }: RecordOptions): Promise<NamedDigest[]> {
  const found: NamedDigest[] = [];
  const missing: string[] = [];
  for (const library of lock.libraries) {
    const { file, folder } = library;
    if (folder !== undefined && !tensorflow) continue;
    try {
      const path = await load(folder === undefined ? file : `${root}/${folder}/${file}`);
      found.push({ name: file, sha256: await digestOf(path) });
    } catch (error) {
      missing.push(describeMissing(library, error));
    }
  }
  if (missing.length === 0) return found;
  throw new UserError(
    "IMAGE_LIBRARY_MISSING",
    `${missing.join("\n")}\n${missing.length} of the libraries that ${IMAGE_LOCK_FILE} expects cannot be loaded`,
    "the base image is not the one that was meant, or an install step failed; docs/container.md says what to do",
  );
}

function describeMissing({ file, package: from, engines }: PinnedLibrary, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `"${file}" of ${from}, for the engine ${engines.join(" and ")}: ${reason}`;
}

async function digestOf(path: string): Promise<Digest> {
  const hasher = await createSha256();
  for await (const chunk of readChunks(path)) hasher.update(chunk);
  return hasher.finish();
}

/**
 * Loads a library into this process, and finds its file among those that the process has mapped: the name that was
 * asked for may be a link to a file with more of a version in its name.
 */
export async function loadLibrary(nameOrPath: string): Promise<string> {
  Deno.dlopen(nameOrPath, {});
  const stem = nameOrPath.slice(nameOrPath.lastIndexOf("/") + 1).replace(/(?<=\.so)[.\d]*$/, "");
  const maps = await Deno.readTextFile("/proc/self/maps");
  for (const [, path = ""] of maps.matchAll(/ (\/.*)$/gm)) {
    const file = path.slice(path.lastIndexOf("/") + 1);
    if (file === stem || file.startsWith(`${stem}.`)) return path;
  }
  throw new Error("the loader took it, but its file is not among those of the process");
}

if (import.meta.main) {
  try {
    const root = decodeURIComponent(new URL("../..", import.meta.url).pathname).replace(/\/$/, "");
    const facts = await recordImage({
      root,
      lock: await readImageLock(),
      platform: `${Deno.build.os}/${Deno.build.arch === "x86_64" ? "amd64" : "arm64"}`,
      tensorflow: Deno.env.get("TENSORFLOW") !== "none",
      source: Deno.env.get("SOURCE") || "unknown",
      revision: Deno.env.get("REVISION") || "unknown",
      load: loadLibrary,
    });
    await writeFileDurably(`${root}/${IMAGE_FILE}`, `${canonicalJson(facts)}\n`);
    for (const { name, sha256 } of [...facts.bases, ...facts.recipe, ...facts.libraries]) print(`${sha256} ${name}`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    printFailure(error);
    Deno.exit(EXIT.unable);
  }
}
