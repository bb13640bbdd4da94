/** The artefacts against the digests of the statement's subjects. Web-standard APIs only. */
import { type Digest, shortDigest } from "../../digest/sha256.ts";
import { UserError } from "../../errors.ts";
import { printable } from "../../files/safe_name.ts";
import { artefactLimits } from "./artefact_limits.ts";
import { type ArtefactReader, digestStream } from "./artefacts.ts";
import type { Statement } from "../format/predicate.ts";
import type { StepOutcome } from "./verification_report.ts";

/** What re-hashing found. */
export interface ArtefactFindings {
  readonly outcome: StepOutcome;
  /** names of artefacts that are as they were signed */
  readonly good: ReadonlySet<string>;
  /** names of artefacts that are not there */
  readonly missing: readonly string[];
}

/** An artefact that could not be read is one of these. */
export type ReadProblem = { readonly kind: "missing" | "refused" | "unreadable"; readonly detail: string };

/** What an error of an {@linkcode ArtefactReader} means for the verification. */
export function readProblem(error: unknown): ReadProblem {
  const detail = error instanceof Error ? error.message : String(error);
  if (error instanceof UserError) {
    if (error.code === "FILE_NOT_FOUND") return { kind: "missing", detail };
    if (error.code === "UNSAFE_PATH" || error.code === "FILE_TOO_LARGE") return { kind: "refused", detail };
  }
  return { kind: "unreadable", detail };
}

/**
 * Re-hashes every subject, streaming.
 *
 * @param mayBeMissing artefacts that the caller does without; they are then said to be missing, and no more
 */
export async function checkArtefacts(
  statement: Statement,
  artefacts: ArtefactReader,
  mayBeMissing: (name: string) => boolean,
): Promise<ArtefactFindings> {
  const good = new Set<string>();
  const missing: string[] = [];
  const failures: string[] = [];
  const unreadable: string[] = [];
  const limitOf = artefactLimits(statement);
  // A file may lie under a thousand names, as hard links or symbolic ones: its bytes are read once.
  const hashed = new Map<string, { readonly found: Digest; readonly bytes: number }>();
  const digestOf = async (name: string): Promise<Digest> => {
    const identity = await artefacts.identity?.(name);
    const known = identity === undefined ? undefined : hashed.get(identity);
    if (known !== undefined && known.bytes <= limitOf(name)) return known.found;
    let bytes = 0;
    const counted = bounded(artefacts.open(name), name, limitOf(name), (length) => bytes += length);
    const found = await digestStream(counted, artefacts);
    if (identity !== undefined) hashed.set(identity, { found, bytes });
    return found;
  };
  for (const { name, digest } of statement.subject) {
    try {
      const found = await digestOf(name);
      if (found === digest.sha256) good.add(name);
      else {
        failures.push(
          `"${printable(name)}" was changed: its digest is ${shortDigest(found)}, and ${
            shortDigest(digest.sha256)
          } was signed`,
        );
      }
    } catch (error) {
      const problem = readProblem(error);
      if (problem.kind === "missing") missing.push(name);
      else if (problem.kind === "refused") failures.push(problem.detail);
      else unreadable.push(problem.detail);
    }
  }
  const total = statement.subject.length;
  const needed = missing.filter((name) => !mayBeMissing(name));
  const count = `${good.size} of ${total} artefacts re-hashed and found as signed`;
  return { outcome: conclude(), good, missing };

  function conclude(): StepOutcome {
    if (failures.length > 0) return { status: "failed", detail: listed(failures) };
    if (unreadable.length > 0) return { status: "not checked", detail: `${count}; ${listed(unreadable)}` };
    if (needed.length > 0) {
      return { status: "not checked", detail: `${count}; missing: ${listed(needed.map((name) => printable(name)))}` };
    }
    return { status: "ok", detail: missing.length > 0 ? `${count}; ${missing.length} are missing, as allowed` : count };
  }
}

/** A stream that throws once it is longer than it may be. */
async function* bounded(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  maxBytes: number,
  onBytes: (length: number) => void,
): AsyncGenerator<Uint8Array, void> {
  let total = 0;
  for await (const chunk of chunks) {
    total += chunk.length;
    if (total > maxBytes) {
      throw new UserError(
        "FILE_TOO_LARGE",
        `"${printable(name)}" has more than the ${maxBytes} bytes that it can have`,
      );
    }
    onBytes(chunk.length);
    yield chunk;
  }
}

/** Up to three of several, and how many more. */
export function listed(items: readonly string[]): string {
  const more = items.length - 3;
  return items.slice(0, 3).join("; ") + (more > 0 ? `; and ${more} more` : "");
}
