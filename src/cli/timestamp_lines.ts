/** Timestamps as the command line asks for them and shows them. */
import { type Digest, sha256 } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";
import type { FileSystem } from "../files/file_system.ts";
import { printable } from "../files/safe_name.ts";
import { shellWord } from "../launch/shell.ts";
import { PAPER_FILE } from "../reproduce/paper_file.ts";
import { type StampedFolder, stampFolder } from "../timestamp/stamp_folder.ts";

/** The file of rules as a timestamp names it. */
export function namedRules(text: string): { readonly name: string; readonly sha256: Digest } {
  return { name: PAPER_FILE, sha256: sha256(text) };
}

/** What is due and how to get it, or what the timestamp says. */
export function formatStamped({ what, sha256, request, response, timestamp }: StampedFolder): string {
  if (timestamp !== undefined) {
    const { time, authority, isTrusted } = timestamp;
    const worth = isTrusted === true
      ? "which leads to a root that you trust"
      : "a root is looked for with --timestamp-roots";
    return `${what} existed by ${time}, says "${printable(authority)}" (${worth})\n  ${response}`;
  }
  return [
    `There is no timestamp of ${what} yet, SHA-256 ${sha256}. The request for it is`,
    `  ${request}`,
    "Send it to an authority that readers of the manifest will trust:",
    `  curl -H "Content-Type: application/timestamp-query" --data-binary @${shellWord(request ?? "")} \\`,
    `    -o ${shellWord(response)} URL`,
    "Then give this command again.",
  ].join("\n");
}

/**
 * Makes sure that plan and rules of a folder have a timestamp, before they are trained.
 *
 * @throws {UserError} `NO_TIMESTAMP` with the request and what to do; `BAD_TIMESTAMP`
 */
export async function requirePlanTimestamp(
  output: string,
  rules: string,
  files: FileSystem,
  roots: readonly Uint8Array<ArrayBuffer>[] | undefined,
): Promise<void> {
  const stamped = await stampFolder(output, namedRules(rules), files, roots, "plan");
  if (stamped.timestamp !== undefined) return;
  throw new UserError(
    "NO_TIMESTAMP",
    "Nothing is trained before plan and rules have a timestamp",
    formatStamped(stamped),
  );
}
