/** What this process can say of the container that it runs in. */
import { parseStrictJson, StrictJsonError } from "../text/strict_json.ts";
import { isDigest } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";
import { validate } from "../text/yaml.ts";
import { readFileBounded } from "../files/read_file.ts";
import { type Container, IMAGE_NAME, imageFactsSchema, type NoContainer } from "./facts.ts";

/** Name of the file that the build of an image leaves in the project's folder. */
export const IMAGE_FILE = "image.json";
/** Tells the process its image's digest, which is known only after the build. */
export const DIGEST_VARIABLE = "REWARM_IMAGE_DIGEST";

const MAX_IMAGE_FILE_BYTES = 1 << 20;

/** Where to look. */
export interface DescribeContainerOptions {
  /** path of `image.json`; by default it lies beside `src`, and only an image has one there */
  readonly imageFile?: string;
  /** the image's digest as it was given; by default {@linkcode DIGEST_VARIABLE}, if it may be read and is set */
  readonly digest?: string;
}

/**
 * The container by the file that its image's build left, with the digest that whoever started it gave. Where there is
 * no such file, that the process runs outside the container.
 *
 * @throws {UserError} `BAD_IMAGE_FILE` or `INVALID_FIELD` if the file is not what a build leaves, `BAD_IMAGE_DIGEST` if
 * the digest is none, or was given outside a container
 */
export async function describeContainer(options: DescribeContainerOptions = {}): Promise<Container | NoContainer> {
  const path = options.imageFile ?? decodeURIComponent(new URL(`../../${IMAGE_FILE}`, import.meta.url).pathname);
  const given = options.digest ?? givenDigest();
  let bytes: Uint8Array;
  try {
    bytes = await readFileBounded(path, MAX_IMAGE_FILE_BYTES);
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== "FILE_NOT_FOUND") throw error;
    if (given === undefined) return { none: "run outside the container" };
    throw new UserError(
      "BAD_IMAGE_DIGEST",
      `${DIGEST_VARIABLE} is set, but this is not the container: there is no "${IMAGE_FILE}"`,
      "unset it, or run in the image that the Dockerfile builds",
    );
  }
  let value: unknown;
  try {
    value = parseStrictJson(bytes);
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error;
    throw new UserError("BAD_IMAGE_FILE", `"${path}" is not JSON: ${error.message}`, "build the image again");
  }
  const built = validate(imageFactsSchema, value, path);
  return { image: given === undefined ? undefined : parseImageDigest(given), built };
}

/** What the variable holds, if the process may read it. An empty one counts as unset, as `docker run --env` leaves it. */
function givenDigest(): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable: DIGEST_VARIABLE }).state !== "granted") return undefined;
  return Deno.env.get(DIGEST_VARIABLE) || undefined;
}

/**
 * An image's digest in the forms that Docker prints it: `sha256:…`, or `NAME@sha256:…` for one that was pulled.
 *
 * @throws {UserError} `BAD_IMAGE_DIGEST`
 */
export function parseImageDigest(text: string): NonNullable<Container["image"]> {
  const match = /^(?:(.{1,255})@)?sha256:(.+)$/.exec(text);
  const [, name, digest = ""] = match ?? [];
  if (isDigest(digest) && (name === undefined || IMAGE_NAME.test(name))) {
    return { name, sha256: digest };
  }
  throw new UserError(
    "BAD_IMAGE_DIGEST",
    `${DIGEST_VARIABLE} is ${
      JSON.stringify(text.slice(0, 200))
    }, expected "sha256:" and 64 lower-case hexadecimal digits`,
    `take it from "docker image inspect --format '{{.Id}}' IMAGE"`,
  );
}
