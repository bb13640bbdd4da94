/** The container image that workers run in: pinned, since what it holds decides what is computed. */
import { UserError } from "../errors.ts";

/** Where the image's own entrypoint is; a scheduler that starts shells of its own calls it by its path. */
export const ENTRYPOINT = "/rewarm/src/container/entrypoint.sh";
/** The folder of results in the image. */
export const IMAGE_OUTPUT = "/rewarm/out";
/** The folder of prepared data and compiled kernels in the image. */
export const IMAGE_CACHE = "/rewarm/.cache";

/** An image by its digest. */
export interface PinnedImage {
  /** `NAME@sha256:…` */
  readonly reference: string;
  /** `sha256:…` */
  readonly digest: string;
}

/**
 * An image as `--image` names it.
 *
 * @throws {UserError} `MISSING_OPTION`, `BAD_IMAGE_DIGEST` for one that is named by a tag, which may be another tomorrow
 */
export function pinnedImage(text: string | undefined): PinnedImage {
  if (text === undefined) {
    throw new UserError(
      "MISSING_OPTION",
      "No image is named",
      "add --image NAME@sha256:…, as docs/container.md builds it",
    );
  }
  const [, digest] = /^[a-zA-Z0-9][\w.:\/-]*@(sha256:[0-9a-f]{64})$/.exec(text) ?? [];
  if (digest !== undefined) return { reference: text, digest };
  throw new UserError(
    "BAD_IMAGE_DIGEST",
    `The image "${text}" is not named by its digest`,
    "give NAME@sha256: and 64 digits, as docker image inspect --format '{{index .RepoDigests 0}}' prints it",
  );
}

/**
 * The output folder in the container.
 *
 * @throws {UserError} `UNSAFE_PATH` outside of the folder that all workers share
 */
export function imageOutput(text: string | undefined, scale: string): string {
  const given = text ?? scale;
  const path = given.startsWith("/") ? given : `${IMAGE_OUTPUT}/${given.replace(/^(\.\/+)*(out\/+)?/, "")}`;
  const parts = path.slice(IMAGE_OUTPUT.length + 1).replace(/\/+$/, "").split("/");
  const isBelow = path.startsWith(`${IMAGE_OUTPUT}/`) &&
    parts.every((part) => /^[\w%+.-]+$/.test(part) && !/^\.+$/.test(part));
  if (isBelow) return `${IMAGE_OUTPUT}/${parts.join("/")}`;
  throw new UserError(
    "UNSAFE_PATH",
    `The output folder "${given}" is not in the volume that the workers share, which they see at ${IMAGE_OUTPUT}`,
    `give --out NAME for ${IMAGE_OUTPUT}/NAME, of letters, digits and _ % + . -`,
  );
}
