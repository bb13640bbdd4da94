/** Getting timestamps for an output folder: what is due, the request for it, and the response that came. */
import { type Digest, sha256 } from "../digest/sha256.ts";
import { hasCode, UserError } from "../errors.ts";
import { writeFileDurably } from "../files/durable.ts";
import type { FileSystem } from "../files/file_system.ts";
import { PLAN_FILE } from "../files/output_lock.ts";
import { readFileBounded } from "../files/read_file.ts";
import { MANIFEST_FILE, MANIFEST_TIMESTAMP, PLAN_TIMESTAMP } from "../manifest/format/companions.ts";
import { MAX_MANIFEST_BYTES } from "../manifest/verify/verify.ts";
import { MAX_PLAN_BYTES } from "../manifest/verify/verify_plan.ts";
import { type NamedDigest, planMessage, stampedWords } from "./message.ts";
import { MAX_REQUEST_BYTES, MAX_TIMESTAMP_BYTES, type Timestamp } from "./timestamp.ts";

/** How far a folder is with the timestamp that is due in it. */
export interface StampedFolder {
  /** what is stamped, as people read it */
  readonly what: string;
  /** of the bytes that are stamped */
  readonly sha256: Digest;
  /** path of the request; absent if the timestamp is there */
  readonly request?: string;
  /** path of the response, whether it is there or not */
  readonly response: string;
  /** absent as long as there is none */
  readonly timestamp?: Timestamp;
}

/**
 * Looks for a timestamp. Where it is missing, a request is left beside where it belongs.
 *
 * @param which is due; if absent the manifest's where there is one, else that of the plan and the rules
 * @param output folder with `plan.json`
 * @param rules those that will judge the plan's results
 * @param files confined to the folder
 * @param roots that the timestamp must lead to, if any are given
 * @throws {UserError} `NO_PLAN`; `BAD_TIMESTAMP` for a response that is there and is not of this
 */
export async function stampFolder(
  output: string,
  rules: NamedDigest,
  files: FileSystem,
  roots: readonly Uint8Array<ArrayBuffer>[] = [],
  which?: "plan" | "manifest",
): Promise<StampedFolder> {
  const { name, message } = await dueMessage(output, rules, files, which);
  const due = { what: stampedWords(name), sha256: sha256(message), response: `${output}/${name}` };
  const [{ readRequest, timestampRequest }, { readTimestamp }] = await Promise.all([
    import("./request.ts"),
    import("./token.ts"),
  ]);
  const request = due.response.replace(/r$/, "q");
  const asked = await readIfThere(request, MAX_REQUEST_BYTES, files);
  const question = asked === undefined ? undefined : readRequest(asked);
  const answer = await readIfThere(due.response, MAX_TIMESTAMP_BYTES, files);
  if (answer === undefined) {
    // A request that is there already may be under way: its answer would not fit another's nonce.
    if (question?.imprint !== due.sha256) await writeFileDurably(request, timestampRequest(message), { files });
    return { ...due, request };
  }
  const timestamp = await readTimestamp(answer, message, roots);
  if (typeof timestamp === "string") throw bad(due.response, `the timestamp ${timestamp}`);
  const isOurs = question === undefined || question.imprint !== due.sha256 || question.nonce === timestamp.nonce;
  if (!isOurs) throw bad(due.response, `it does not answer "${request}": its nonce is another`);
  return { ...due, timestamp };
}

async function dueMessage(
  output: string,
  rules: NamedDigest,
  files: FileSystem,
  which: "plan" | "manifest" | undefined,
): Promise<{ readonly name: string; readonly message: Uint8Array<ArrayBuffer> }> {
  const manifest = which === "plan"
    ? undefined
    : await readIfThere(`${output}/${MANIFEST_FILE}`, MAX_MANIFEST_BYTES, files);
  if (manifest !== undefined) return { name: MANIFEST_TIMESTAMP, message: manifest };
  const plan = await readIfThere(`${output}/${PLAN_FILE}`, MAX_PLAN_BYTES, files);
  if (plan === undefined) {
    throw new UserError(
      "NO_PLAN",
      `"${output}" has neither ${PLAN_FILE} nor ${MANIFEST_FILE}`,
      "write the plan first, with deno task reproduce --plan-only --out DIR and all that determines it",
    );
  }
  return { name: PLAN_TIMESTAMP, message: planMessage({ name: PLAN_FILE, sha256: sha256(plan) }, rules) };
}

async function readIfThere(
  path: string,
  maxBytes: number,
  files: FileSystem,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await readFileBounded(path, maxBytes, files);
  } catch (error) {
    if (hasCode(error, "FILE_NOT_FOUND")) return undefined;
    throw error;
  }
}

function bad(path: string, problem: string): UserError {
  return new UserError(
    "BAD_TIMESTAMP",
    `"${path}" is not the timestamp that is due: ${problem}`,
    "remove it, and ask anew",
  );
}
