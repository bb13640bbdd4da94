/** Repositories of the Hugging Face hub and the addresses that belong to them. */
import { UserError } from "../errors.ts";
import { printable, unsafeNameReason } from "../files/safe_name.ts";

/** Where the hub is. */
export const HUB_ENDPOINT = "https://huggingface.co";

/** A repository at a revision. */
export interface Repository {
  readonly kind: "dataset" | "model";
  /** `owner/name` */
  readonly name: string;
  /** commit, branch or tag */
  readonly revision: string;
}

const NAME = /^[\w.-]{1,96}\/[\w.-]{1,96}$/;
const REVISION = /^[\w./-]{1,128}$/;

/** How messages and lockfiles name a repository: `datasets/owner/name`, `models/owner/name`. */
export function repositoryId({ kind, name }: Pick<Repository, "kind" | "name">): string {
  return `${kind}s/${name}`;
}

/** Whether a revision is a commit, which cannot come to mean something else. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** @throws {UserError} `INVALID_REPOSITORY` unless name and revision have the hub's form */
function requireRepository({ name, revision }: Repository): void {
  if (!NAME.test(name) || name.split("/").some((part) => /^\.+$/.test(part))) {
    throw new UserError("INVALID_REPOSITORY", `"${printable(name)}" names no repository`, "write it as OWNER/NAME");
  }
  if (!REVISION.test(revision) || revision.split("/").some((part) => /^\.*$/.test(part))) {
    throw new UserError(
      "INVALID_REPOSITORY",
      `"${printable(revision)}" is no revision of "${name}"`,
      "give a commit, a branch or a tag",
    );
  }
}

/** Address of a file's content. */
export function fileAddress(endpoint: string, repository: Repository, path: string): URL {
  requireRepository(repository);
  const reason = unsafeNameReason(path);
  if (reason !== undefined) throw new UserError("UNSAFE_PATH", `The name "${printable(path)}" ${reason}`);
  const { kind, name, revision } = repository;
  const folder = kind === "dataset" ? "datasets/" : "";
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return new URL(`${endpoint}/${folder}${name}/resolve/${encodeURIComponent(revision)}/${encoded}`);
}

/** Address of the list of all files. */
export function treeAddress(endpoint: string, repository: Repository): URL {
  requireRepository(repository);
  const revision = encodeURIComponent(repository.revision);
  return new URL(`${endpoint}/api/${repositoryId(repository)}/tree/${revision}?recursive=true`);
}

/** Address of what the hub knows of a revision: its commit, above all. */
export function revisionAddress(endpoint: string, repository: Repository): URL {
  requireRepository(repository);
  return new URL(
    `${endpoint}/api/${repositoryId(repository)}/revision/${encodeURIComponent(repository.revision)}`,
  );
}
