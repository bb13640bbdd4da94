/**
 * Repositories of the hub in the lockfile. Nobody publishes digests of these datasets, so the first look is believed,
 * with its date; from then on the commit and the digest of the list of files must stay what they are.
 */
import { ownMember } from "../../digest/own_member.ts";
import { sha256, shortDigest } from "../../digest/sha256.ts";
import { hasCode, UserError } from "../../errors.ts";
import { writeFileDurably } from "../../files/durable.ts";
import { readFileBounded } from "../../files/read_file.ts";
import type { HubCache } from "../../hub/cache.ts";
import type { HubConnection } from "../../hub/connection.ts";
import { download } from "../../hub/download.ts";
import {
  formatListing,
  type HubFile,
  listFiles,
  parseListing,
  type PinnedFile,
  resolveCommit,
} from "../../hub/listing.ts";
import { type Repository, repositoryId } from "../../hub/repository.ts";
import type { DataLock, HubPin } from "../data_lock.ts";
import { checkpointFiles } from "./checkpoint_files.ts";
import { splitNamed } from "./split_names.ts";

const MAX_LISTING_BYTES = 64 << 20;
const DATA_FILE = /\.(jsonl|jsonl\.zst|parquet|bin|idx)$/;
/** Files beside the data. */
const HIDDEN = /(^|\/)\./;

/** The one file of a model that is pinned where its weights are not meant. */
export const TOKENIZER_FILE = "tokenizer.json";

/** What is pinned together: all data files of a dataset, a model's tokenizer, or its weights at a revision. */
export interface NamedRepository extends Pick<Repository, "kind" | "name"> {
  /** the revision of a model whose weights are meant, such as `step143000`; without it, its tokenizer on `main` */
  readonly checkpoint?: string;
}

/** A repository as the lockfile pins it. */
export interface LockedRepository {
  /** under which the lockfile has it: {@linkcode lockId} */
  readonly id: string;
  /** at its pinned commit */
  readonly repository: Repository;
  /** what the lockfile says of it */
  readonly pin: HubPin;
  /** what the pin's listing has, by path */
  readonly files: readonly PinnedFile[];
}

/** How the lockfile names what it pins: `datasets/owner/name`, `models/owner/name`, `models/owner/name@step143000`. */
export function lockId(named: NamedRepository): string {
  return named.checkpoint === undefined ? repositoryId(named) : `${repositoryId(named)}@${named.checkpoint}`;
}

/** The files of a repository that are pinned. */
function pinnable(named: NamedRepository, files: readonly HubFile[]): HubFile[] {
  if (named.checkpoint !== undefined) return checkpointFiles(lockId(named), files);
  const isModel = named.kind === "model";
  const chosen = files.filter(({ path }) =>
    isModel ? path === TOKENIZER_FILE : DATA_FILE.test(path) && !HIDDEN.test(path) && splitNamed(path) !== "test"
  );
  if (chosen.length > 0) return chosen;
  throw new UserError(
    "NO_DATA_FILES",
    `"${lockId(named)}" has none of the files that are looked for among its ${files.length}`,
    isModel ? `a model needs ${TOKENIZER_FILE}` : "data files end in .jsonl, .jsonl.zst, .parquet, .bin or .idx",
  );
}

/** Digests of all data files; of those that the hub states none for, by downloading them. */
async function pinFiles(
  connection: HubConnection,
  cache: HubCache,
  named: NamedRepository,
  repository: Repository,
  signal: AbortSignal | undefined,
): Promise<PinnedFile[]> {
  const files = pinnable(named, await listFiles(connection, repository, signal));
  const options = { cache, signal };
  const downloaded = await download(
    connection,
    repository,
    files.filter(({ sha256 }) => sha256 === undefined),
    options,
  );
  const digests = new Map(downloaded.map(({ path, sha256 }) => [path, sha256]));
  return files.map(({ path, bytes, sha256 }) => {
    const digest = sha256 ?? digests.get(path);
    if (digest === undefined) throw new Error(`"${path}" has no digest`);
    return { path, bytes, sha256: digest };
  });
}

/**
 * Believes the hub about a repository: its commit now, and the digests of the files that are pinned.
 *
 * @param today ISO date, UTC
 */
export async function trustRepository(
  connection: HubConnection,
  cache: HubCache,
  named: NamedRepository,
  today: string,
  signal?: AbortSignal,
): Promise<LockedRepository> {
  const { kind, name, checkpoint = "main" } = named;
  const revision = await resolveCommit(connection, { kind, name, revision: checkpoint }, signal);
  const repository = { kind, name, revision };
  const files = await pinFiles(connection, cache, named, repository, signal);
  const listing = formatListing(files);
  const pin = {
    revision,
    files: files.length,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    listing: sha256(listing),
    trusted: today,
  };
  await writeFileDurably(cache.pathOf(pin.listing), listing, { files: cache.files });
  return { id: lockId(named), repository, pin, files };
}

/**
 * What the lockfile pins of a repository.
 *
 * @throws {UserError} `NOT_LOCKED`
 */
export function requirePin(lock: DataLock, named: NamedRepository): HubPin {
  const pin = ownMember(lock.hub, lockId(named));
  if (pin !== undefined) return pin;
  throw new UserError(
    "NOT_LOCKED",
    `"${lockId(named)}" is not pinned by ${lock.name}`,
    'run "deno task data lock" first, with the --scale and --reading that you use',
  );
}

/**
 * The files of a locked repository: from the cache, or from the hub if its list has the pinned digest.
 *
 * @param connection without it only the cache is asked
 * @throws {UserError} `NOT_LOCKED`, `LISTING_NOT_CACHED`, `DIGEST_MISMATCH`
 */
export async function lockedRepository(
  connection: HubConnection | undefined,
  cache: HubCache,
  lock: DataLock,
  named: NamedRepository,
  signal?: AbortSignal,
): Promise<LockedRepository> {
  const id = lockId(named);
  const pin = requirePin(lock, named);
  const repository = { kind: named.kind, name: named.name, revision: pin.revision };
  const path = cache.pathOf(pin.listing);
  const cached = await readFileBounded(path, MAX_LISTING_BYTES, cache.files).catch((error) => {
    if (error instanceof UserError && error.code === "FILE_NOT_FOUND") return undefined;
    throw error;
  });
  if (cached !== undefined && sha256(cached) === pin.listing) {
    return { id, repository, pin, files: parseListing(new TextDecoder().decode(cached)) };
  }
  if (connection === undefined) {
    throw new UserError("LISTING_NOT_CACHED", `The list of "${id}" is not here`, 'run "deno task data fetch" first');
  }
  const files = await pinFiles(connection, cache, named, repository, signal);
  const listing = formatListing(files);
  const found = sha256(listing);
  if (found !== pin.listing) {
    throw new UserError(
      "DIGEST_MISMATCH",
      `The hub's list of "${id}" at ${pin.revision.slice(0, 12)} has the digest ${found}, but ${lock.name} pins ` +
        `${pin.listing}`,
      "the hub no longer gives what was trusted; nothing was downloaded",
    );
  }
  await writeFileDurably(path, listing, { files: cache.files });
  return { id, repository, pin, files };
}

/**
 * The text of a lockfile with other pins: all before its line `hub:` stays as it is.
 *
 * @param pins by {@linkcode lockId}
 */
export function withHubPins(text: string, pins: Readonly<Record<string, HubPin>>): string {
  const start = /^hub:.*$/m.exec(text)?.index ?? text.length;
  const before = text.slice(0, start);
  const entries = Object.entries(pins).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return `${before}hub: {}\n`;
  const lines = entries.flatMap(([id, { revision, files, bytes, listing, trusted }]) => [
    `  ${JSON.stringify(id)}:`,
    `    revision: "${revision}"`,
    `    files: ${files}`,
    `    bytes: ${bytes}`,
    `    listing: "${listing}"`,
    `    trusted: "${trusted}"`,
  ]);
  return `${before}hub:\n${lines.join("\n")}\n`;
}

/** What one pin says, for people. */
export function describePin({ revision, files, listing, trusted }: HubPin): string {
  return `${files === 1 ? "1 file" : `${files} files`} at ${revision.slice(0, 12)}, list ${
    shortDigest(listing)
  }, trusted on ${trusted}`;
}

/** Whether something of the hub is only not here yet: not pinned, or not downloaded. */
export function isNotFetched(error: unknown): boolean {
  return hasCode(error, "NOT_LOCKED", "LISTING_NOT_CACHED", "DATA_NOT_FETCHED");
}
