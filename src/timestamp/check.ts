/** The step of a verification that looks at the timestamps beside a manifest. Web-standard APIs only. */
import { UserError } from "../errors.ts";
import { printable } from "../files/safe_name.ts";
import { MANIFEST_TIMESTAMP, PLAN_TIMESTAMP, TIMESTAMPS } from "../manifest/format/companions.ts";
import type { Statement } from "../manifest/format/predicate.ts";
import { type ArtefactReader, readArtefact } from "../manifest/verify/artefacts.ts";
import type { CheckTimestamps, TimestampsOutcome } from "../manifest/verify/verify_options.ts";
import { planMessage, stampedWords } from "./message.ts";
import { MAX_TIMESTAMP_BYTES, type Timestamp } from "./timestamp.ts";

/** What the word of an authority replaces. */
const MAKERS_WORD = "that plan and rules were fixed before training is the maker's word";

/** A timestamp's file, with what came of it. */
export interface FoundTimestamp {
  /** beside the manifest */
  readonly name: string;
  /** a string says what is wrong, and reads on after "the timestamp"; undefined if there is none */
  readonly found: Timestamp | string | undefined;
}

/** The bytes that a timestamp must be of. */
export function stampedMessage(
  name: string,
  manifest: Uint8Array,
  { predicate: { plan, paper } }: Statement,
): Uint8Array {
  return name === PLAN_TIMESTAMP ? planMessage(plan, paper) : manifest;
}

/** Reads both timestamps that may lie beside a manifest. */
export async function findTimestamps(
  manifest: Uint8Array,
  statement: Statement,
  files: ArtefactReader,
  roots: readonly Uint8Array<ArrayBuffer>[] = [],
): Promise<FoundTimestamp[]> {
  const found: FoundTimestamp[] = [];
  for (const name of TIMESTAMPS) {
    const message = stampedMessage(name, manifest, statement);
    found.push({ name, found: await readOne(name, message, files, roots) });
  }
  return found;
}

async function readOne(
  name: string,
  message: Uint8Array,
  files: ArtefactReader,
  roots: readonly Uint8Array<ArrayBuffer>[],
): Promise<Timestamp | string | undefined> {
  try {
    const bytes = await readArtefact(files, name, MAX_TIMESTAMP_BYTES);
    const { readTimestamp } = await import("./token.ts");
    return await readTimestamp(bytes, message, roots);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.code === "FILE_NOT_FOUND" ? undefined : `cannot be read: ${error.message}`;
  }
}

/**
 * Makes the step that checks timestamps. Without roots it says what they claim; with them, both must be there, hold, and
 * lead to one of the roots.
 *
 * @param roots certificates in DER of authorities, or of those who certify them, that the verifier trusts
 */
export function checkTimestamps(roots?: readonly Uint8Array<ArrayBuffer>[]): CheckTimestamps {
  return {
    isDemanded: roots !== undefined,
    check: async (manifest, statement, files) =>
      conclude(await findTimestamps(manifest, statement, files, roots), roots !== undefined),
  };
}

function conclude(all: readonly FoundTimestamp[], isDemanded: boolean): TimestampsOutcome {
  const caveats: string[] = [];
  const missing = all.filter(({ found }) => found === undefined).map(({ name }) => stampedWords(name));
  const bad = all.flatMap(({ name, found }) =>
    typeof found === "string" ? [`the timestamp of ${stampedWords(name)} ${printable(found, 400)}`] : []
  );
  const good = all.flatMap(({ name, found }) => typeof found === "object" ? [{ name, ...found }] : []);
  const said = good.map(({ name, time, authority }) =>
    `${stampedWords(name)} existed by ${time}, says "${printable(authority)}"`
  );
  const none = missing.length === 0 ? [] : [`there is no timestamp of ${missing.join(", and none of ")}`];
  const word = good.some(({ name }) => name === PLAN_TIMESTAMP) ? [] : [MAKERS_WORD];
  if (bad.length > 0) {
    return { status: isDemanded ? "failed" : "not checked", detail: [...bad, ...said, ...word].join("; "), caveats };
  }
  const backwards = orderFlaw(good);
  if (backwards !== undefined) return { status: isDemanded ? "failed" : "not checked", detail: backwards, caveats };
  if (!isDemanded) {
    const roots = said.length === 0 ? [] : ["whose word that is worth is open without --timestamp-roots"];
    return { status: "not checked", detail: [...said, ...roots, ...none, ...word].join("; "), caveats };
  }
  if (missing.length > 0) return { status: "not checked", detail: [...none, ...said, ...word].join("; "), caveats };
  return {
    status: "ok",
    detail: said.join("; "),
    caveats: ["That training began after plan and rules were timestamped: they existed by then, and no more is shown."],
  };
}

/** A manifest holds the digests of its plan and rules: it cannot be older. */
function orderFlaw(good: readonly (Timestamp & { readonly name: string })[]): string | undefined {
  const timeOf = (name: string) => good.find((timestamp) => timestamp.name === name)?.time;
  const [plan, manifest] = [timeOf(PLAN_TIMESTAMP), timeOf(MANIFEST_TIMESTAMP)];
  if (plan === undefined || manifest === undefined || plan <= manifest) return undefined;
  return `plan and rules are timestamped ${plan}, after the manifest, ${manifest}: they were not fixed before training`;
}
