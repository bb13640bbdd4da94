/**
 * Whether the manifest that is there already says the same. A new one would differ by its time alone, and what reviewers
 * attested are the bytes of the old one.
 */
import { parseStrictJson } from "../text/strict_json.ts";
import { hasCode } from "../errors.ts";
import type { FileSystem } from "../files/file_system.ts";
import { readFileBounded } from "../files/read_file.ts";
import { readEnvelope } from "../manifest/format/dsse.ts";
import type { SigningKey } from "../manifest/keys/keys.ts";
import type { Statement } from "../manifest/format/predicate.ts";
import { isTrained, type ManifestRun } from "../manifest/format/run.ts";
import { signStatement } from "../manifest/statement.ts";
import { statementSchema } from "../manifest/format/statement_schema.ts";
import { MAX_MANIFEST_BYTES } from "../manifest/verify/verify.ts";

/**
 * True if signing the statement at the old manifest's time and for its command gives the old manifest: signatures and
 * their encoding leave no choice, so that equal bytes mean an equal statement by the same key. What the old one says of
 * the process that signed it stays true: runs that it trained are found now, with every digest the same.
 *
 * @param hasRetrained whether the statement says what was retrained for it, which must not be lost
 */
export async function isSigned(
  path: string,
  statement: Statement,
  key: SigningKey,
  files: FileSystem,
  hasRetrained: boolean,
): Promise<boolean> {
  const bytes = await readIfThere(path, files);
  const old = bytes === undefined ? undefined : readStatement(bytes);
  if (bytes === undefined || old === undefined) return false;
  const { metadata, command, runs } = old.predicate;
  const repeated: Statement = {
    ...statement,
    predicate: {
      ...statement.predicate,
      runs: hasRetrained ? statement.predicate.runs : asBefore(statement.predicate.runs, runs),
      metadata,
      command,
    },
  };
  return await signStatement(repeated, key) === new TextDecoder().decode(bytes);
}

/** Runs with the origins and the retrained pieces that an older manifest states of them. */
function asBefore(runs: readonly ManifestRun[], old: readonly ManifestRun[]): ManifestRun[] {
  const before = new Map(old.filter(isTrained).map((run) => [run.key, run]));
  return runs.map((run) => {
    const { origin, retrained } = before.get(run.key) ?? {};
    if (!isTrained(run) || origin === undefined) return run;
    return { ...run, origin, retrained };
  });
}

/** What is too large is no manifest; what cannot be read is an error, since writing would meet it too. */
async function readIfThere(path: string, files: FileSystem): Promise<Uint8Array | undefined> {
  try {
    return await readFileBounded(path, MAX_MANIFEST_BYTES, files);
  } catch (error) {
    if (hasCode(error, "FILE_NOT_FOUND", "FILE_TOO_LARGE")) return undefined;
    throw error;
  }
}

/** Undefined for whatever is no manifest of this version: it is written anew. */
function readStatement(bytes: Uint8Array): Statement | undefined {
  try {
    const envelope = readEnvelope(parseStrictJson(bytes));
    if (typeof envelope === "string") return undefined;
    const parsed = statementSchema.safeParse(parseStrictJson(envelope.payload));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
