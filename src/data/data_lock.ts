/** The lockfile of the data: which digest each source must have. */
import { z } from "zod";
import { type Digest, isDigest, shortDigest } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";
import { parseYaml, validate } from "../text/yaml.ts";
import { fetchOwnFile } from "../files/fetch_own_file.ts";
import { readFileBounded } from "../files/read_file.ts";
import { decodeUtf8 } from "../text/utf8.ts";

/** The project's own lockfile, from its folder. */
export const DATA_LOCK_PATH = "lockfiles/data.lock.yaml";
/** A lockfile is not read beyond this size. */
export const MAX_LOCK_BYTES = 1 << 20;

const digest = z.string().regex(/^[0-9a-f]{64}$/).refine(isDigest);

/** What the lockfile says of an npm package's text. */
const packagePin = z.strictObject({
  version: z.string(),
  files: z.int().positive(),
  bytes: z.int().positive(),
  sha256: digest,
});

/** What the lockfile says of a repository on the hub. */
const hubPin = z.strictObject({
  /** commit */
  revision: z.string().regex(/^[0-9a-f]{40}$/, { error: "a commit: 40 lower-case hexadecimal digits" }),
  files: z.int().positive(),
  bytes: z.int().positive(),
  /** SHA-256 of the list of all pinned files with theirs */
  listing: digest,
  /** the day on which the hub was believed, UTC */
  trusted: z.iso.date(),
});

const lockSchema = z.strictObject({
  version: z.literal(1),
  packages: z.record(z.string(), packagePin),
  files: z.record(z.string(), z.strictObject({ sha256: digest })),
  hub: z.record(z.string(), hubPin).default({}),
});

/** Pinned facts of a package's text. */
export type PackagePin = z.infer<typeof packagePin>;

/** Pinned facts of a repository on the hub. */
export type HubPin = z.infer<typeof hubPin>;

/** A read lockfile. */
export interface DataLock {
  /** how messages name it */
  readonly name: string;
  readonly packages: Readonly<Record<string, PackagePin>>;
  readonly files: Readonly<Record<string, { readonly sha256: Digest }>>;
  /** datasets, tokenizers and weights, by `datasets/owner/name`, `models/owner/name`, `models/owner/name@revision` */
  readonly hub: Readonly<Record<string, HubPin>>;
}

/**
 * Reads a lockfile.
 *
 * @param path the user's own; the project's if not given
 * @throws {UserError} if it is missing or not of the form that `lockfiles/data.lock.yaml` shows
 */
export async function readDataLock(path?: string): Promise<DataLock> {
  const name = path ?? DATA_LOCK_PATH;
  const decoded = decodeUtf8(
    path === undefined ? await fetchOwnFile(DATA_LOCK_PATH) : await readFileBounded(path, MAX_LOCK_BYTES),
  );
  if (!decoded.ok) {
    throw new UserError(
      "NOT_UTF8",
      `"${name}" is not UTF-8 at byte ${decoded.offset}`,
    );
  }
  const lock = validate(lockSchema, parseYaml(decoded.text, name), name);
  return { name, packages: lock.packages, files: lock.files, hub: lock.hub };
}

/**
 * Stops where a source is not what the lockfile pins.
 *
 * @param what how the message names the source
 * @throws {UserError} `DIGEST_MISMATCH`
 */
export function requireDigest(
  what: string,
  found: Digest,
  pinned: Digest,
  lockName: string,
): void {
  if (found === pinned) return;
  throw new UserError(
    "DIGEST_MISMATCH",
    `Digest of "${what}" is ${shortDigest(found)}, but ${lockName} pins ${shortDigest(pinned)}`,
    `restore it, or, if the change is meant, pin ${found} there`,
  );
}
