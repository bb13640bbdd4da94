/** What a manifest says of the container that a reproduction ran in, and how sure that is. */
import { z } from "zod";
import { digestSchema } from "../digest/digest_schema.ts";
import type { Digest } from "../digest/sha256.ts";
import { textSchema } from "../experiment/run/run_schema.ts";

/** Something with a name and the SHA-256 of its bytes. */
export interface NamedDigest {
  /** such as `deno.lock`, `libnvrtc.so.11.2` or `denoland/deno:2.9.6` */
  readonly name: string;
  /** of a file's bytes, or an image's own */
  readonly sha256: Digest;
}

/** What an image was built from. Written into it while it is built, when its own digest cannot be known. */
export interface ImageFacts {
  /** the images that it stands on, by name and tag; whoever pulls by digest has checked the digest */
  readonly bases: readonly NamedDigest[];
  /** Dockerfile and lockfiles, as they were in the build */
  readonly recipe: readonly NamedDigest[];
  /** native libraries of the engines by file name, as they were found in the image */
  readonly libraries: readonly NamedDigest[];
  /** where the source is, as the builder said; `unknown` if nothing was said */
  readonly source: string;
  /** commit of the source, as the builder said */
  readonly revision: string;
}

/** A container. All of it is what the process was told: whoever has the image can compare, nobody else. */
export interface Container {
  /** the image's own digest, as whoever started the container gave it; absent if it was not given */
  readonly image?: {
    /** where it can be pulled, such as `registry.example/rewarm`; absent for the ID of a local image */
    readonly name?: string;
    /** as Docker gives it: of the manifest, or of the configuration where that is the image's ID */
    readonly sha256: Digest;
  };
  /** what the image says of itself */
  readonly built: ImageFacts;
}

/** That a reproduction ran in no container, with what is known of it. */
export interface NoContainer {
  /** in words */
  readonly none: string;
}

const namedDigestsSchema = z.array(
  z.strictObject({ name: textSchema, sha256: digestSchema }).meta({
    id: "NamedDigest",
    description: "Something with a name and the SHA-256 of its bytes",
  }),
).max(1000);

/** What may stand in `image.json`. */
export const imageFactsSchema = z.strictObject({
  bases: namedDigestsSchema.min(1),
  recipe: namedDigestsSchema.min(1),
  libraries: namedDigestsSchema,
  source: textSchema,
  revision: textSchema,
}).meta({
  id: "ImageFacts",
  description: "What a container's image was built from, as it was recorded during the build",
}) satisfies z.ZodType<ImageFacts>;

/** Name of an image in a registry, without tag or digest. */
export const IMAGE_NAME = /^[a-z0-9]+([._-]+[a-z0-9]+)*(:\d{1,5})?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/;

/** What may stand for a container in a manifest. */
export const containerSchema: z.ZodType<Container | NoContainer> = z.union([
  z.strictObject({
    image: z.strictObject({ name: z.string().max(255).regex(IMAGE_NAME).optional(), sha256: digestSchema })
      .optional(),
    built: imageFactsSchema,
  }),
  z.strictObject({ none: textSchema }),
]);

/** A container in one line, for people. */
export function containerInWords(container: Container | NoContainer): string {
  if ("none" in container) return container.none;
  const { image, built: { bases, revision } } = container;
  return [
    image === undefined
      ? "image not named"
      : `image ${image.name === undefined ? "" : `${image.name}@`}sha256:${image.sha256}`,
    `built from ${bases.map(({ name }) => name).join(" and ")}`,
    `revision ${revision}`,
  ].join(", ");
}
