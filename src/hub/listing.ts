/** What a repository holds: its commit, and its files with sizes and digests. */
import { z } from "zod";
import { type Digest, isDigest } from "../digest/sha256.ts";
import { digestSchema } from "../digest/digest_schema.ts";
import { UserError } from "../errors.ts";
import { collectBounded } from "../files/collect_bounded.ts";
import { printable, unsafeNameReason } from "../files/safe_name.ts";
import { type HubConnection, shownAddress } from "./connection.ts";
import { type Repository, repositoryId, revisionAddress, treeAddress } from "./repository.ts";
import { PassingFailure } from "./retry.ts";

const MAX_PAGE_BYTES = 64 << 20;
const MAX_PAGES = 10_000;

/** A file of a repository. */
export interface HubFile {
  /** with "/" */
  readonly path: string;
  readonly bytes: number;
  /** Git's own digest of a file that is stored in the repository itself: SHA-1 over a header and the content */
  readonly gitBlob: string;
  /** SHA-256 as the hub states it, for files in large-file storage; others have none before they are downloaded */
  readonly sha256?: Digest;
}

/** A file whose digest is known. */
export interface PinnedFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: Digest;
}

const revisionAnswer = z.looseObject({ sha: z.string().regex(/^[0-9a-f]{40}$/) });

const treeAnswer = z.array(z.looseObject({
  type: z.string(),
  path: z.string(),
  size: z.int().min(0),
  oid: z.string().regex(/^[0-9a-f]{40}$/),
  lfs: z.looseObject({ oid: digestSchema, size: z.int().min(0) }).nullish(),
}));

/** The commit that a branch, a tag or a commit stands for now. */
export async function resolveCommit(
  connection: HubConnection,
  repository: Repository,
  signal?: AbortSignal,
): Promise<string> {
  const address = revisionAddress(connection.endpoint, repository);
  const { value } = await getJson(connection, address, revisionAnswer, signal);
  return value.sha;
}

/**
 * All files of a repository, by path in UTF-16 code units.
 *
 * @throws {UserError} `HUB_NOT_FOUND`, `HUB_ACCESS_DENIED`, `HUB_UNEXPECTED_ANSWER`, `HUB_UNREACHABLE`
 */
export async function listFiles(
  connection: HubConnection,
  repository: Repository,
  signal?: AbortSignal,
): Promise<HubFile[]> {
  const files = new Map<string, HubFile>();
  const seen = new Set<string>();
  let address: URL | undefined = treeAddress(connection.endpoint, repository);
  while (address !== undefined) {
    if (seen.has(address.href)) throw unexpected(repository, "its pages of files have no end");
    if (seen.size >= MAX_PAGES) throw unexpected(repository, `it has more than ${MAX_PAGES} pages of files`);
    seen.add(address.href);
    const page: Page<z.output<typeof treeAnswer>> = await getJson(connection, address, treeAnswer, signal);
    for (const entry of page.value) {
      if (entry.type !== "file") continue;
      const { path, oid } = entry;
      const reason = unsafeNameReason(path);
      if (reason !== undefined) throw unexpected(repository, `the name "${printable(path)}" ${reason}`);
      if (files.has(path)) throw unexpected(repository, `"${printable(path)}" is listed twice`);
      const lfs = entry.lfs ?? undefined;
      const bytes = lfs?.size ?? entry.size;
      files.set(path, { path, bytes, gitBlob: oid, sha256: lfs?.oid });
    }
    address = page.next === undefined ? undefined : connection.own(page.next);
  }
  return [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A list of files as text: a line each of SHA-256, bytes and path, in the order of the paths. Its digest pins them all. */
export function formatListing(files: readonly PinnedFile[]): string {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  return sorted.map(({ sha256, bytes, path }) => `${sha256} ${bytes} ${path}\n`).join("");
}

/** The files of a list that {@linkcode formatListing} wrote and whose digest was checked. */
export function parseListing(text: string): PinnedFile[] {
  return text.split("\n").slice(0, -1).map((line) => {
    const { sha256 = "", bytes, path = "" } = /^(?<sha256>\S+) (?<bytes>\d+) (?<path>.+)$/.exec(line)?.groups ?? {};
    if (!isDigest(sha256)) throw new Error(`A list of files has the line "${line}"`);
    return { path, bytes: Number(bytes), sha256 };
  });
}

interface Page<T> {
  readonly value: T;
  readonly next: URL | undefined;
}

async function getJson<T>(
  connection: HubConnection,
  address: URL,
  schema: z.ZodType<T>,
  signal: AbortSignal | undefined,
): Promise<Page<T>> {
  return await connection.get({ address, signal }, async ({ headers, body }) => {
    const shown = shownAddress(address);
    const encoding = headers.get("content-encoding") ?? "identity";
    if (encoding !== "identity") {
      throw new PassingFailure(`${shown} is sent as "${printable(encoding)}", which was not asked for`);
    }
    const bytes = await collectBounded(
      body,
      MAX_PAGE_BYTES,
      (size) => new UserError("HUB_UNEXPECTED_ANSWER", `${shown} answers with ${size} bytes or more`),
    );
    let json: unknown;
    try {
      json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      throw new PassingFailure(`${shown} answers with something that is not JSON`);
    }
    const parsed = schema.safeParse(json);
    if (!parsed.success) {
      const where = parsed.error.issues[0]?.path.join(".") ?? "";
      throw new UserError("HUB_UNEXPECTED_ANSWER", `${shown} answers in another form than known, at "${where}"`);
    }
    return { value: parsed.data, next: nextPage(headers.get("link"), address) };
  });
}

/** The address behind `rel="next"` of a Link header (RFC 8288). */
function nextPage(link: string | null, base: URL): URL | undefined {
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(link ?? "")?.[1];
  return target === undefined ? undefined : URL.parse(target, base) ?? undefined;
}

function unexpected(repository: Repository, problem: string): UserError {
  return new UserError(
    "HUB_UNEXPECTED_ANSWER",
    `The hub's list of "${repositoryId(repository)}" cannot be used, ${problem}`,
    "try again later; if you named a mirror with --hub, try another",
  );
}
