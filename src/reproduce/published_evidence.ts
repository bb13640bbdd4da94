/**
 * The reference reproduction that is published with this version, `evidence/SCALE/`: a bundle without most checkpoints,
 * its page, and the public key. `tools/evidence.ts` makes it. Whoever reproduces the scale learns whether theirs has the
 * same bits.
 */
import { readStatement } from "../bundle/verified.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import type { FileSystem } from "../files/file_system.ts";
import { isTrained, type TrainedRun } from "../manifest/format/run.ts";
import { openManifest } from "../manifest/verify/open_manifest.ts";
import type { RunRecord } from "../train/folder/run_record.ts";

/** Names of the files in `evidence/SCALE/`. */
export const EVIDENCE_FILES = {
  bundle: "bundle.tar",
  report: "report.html",
  publicKey: "public-key.pem",
} as const;

/** What holds a run's bits: of a manifest, or of an output folder. */
export type RunBits = Pick<RunRecord, "key" | "label" | "steps" | "states" | "journalRoot">;

/** A reproduction beside the published one. */
export interface EvidenceComparison {
  /** the published bundle */
  readonly path: string;
  /** runs that both have, by their keys */
  readonly comparable: number;
  /** those of them with the same bits */
  readonly agreeing: number;
  /** label of the first of the others; absent if there are none */
  readonly firstOther?: string;
}

/**
 * Compares runs with those of the published evidence.
 *
 * @param folder of all evidence
 * @returns undefined where nothing is published of the scale, or none of the runs: another engine's have other keys
 * @throws {UserError} `NOT_VERIFIED` if what is published contradicts itself
 */
export async function compareWithEvidence(
  folder: string,
  scale: string,
  runs: readonly RunBits[],
  files: FileSystem = DENO_FILES,
): Promise<EvidenceComparison | undefined> {
  const path = `${folder}/${scale}/${EVIDENCE_FILES.bundle}`;
  if (await files.status(path) === undefined) return undefined;
  const { bytes, artefacts } = await openManifest(path, files);
  const { predicate } = await readStatement(path, bytes, artefacts);
  const published = new Map(predicate.runs.filter(isTrained).map((run) => [run.key, bitsOf(run)]));
  const pairs = runs.flatMap((run) => {
    const other = published.get(run.key);
    return other === undefined ? [] : [[run, other] as const];
  });
  if (pairs.length === 0) return undefined;
  const firstOther = pairs.find(([ours, other]) => !haveSameBits(ours, other))?.[0].label;
  const agreeing = pairs.filter(([ours, other]) => haveSameBits(ours, other)).length;
  return { path, comparable: pairs.length, agreeing, firstOther };
}

/** A manifest's run as a record has it. */
export function bitsOf({ key, label, journal, states }: TrainedRun): RunBits {
  return { key, label, steps: journal.steps, states, journalRoot: journal.root };
}

/**
 * Whether two records of one run are of the same bits, as far as both go: the whole journal, or, where one went further
 * for another plan, every state that both recorded.
 */
export function haveSameBits(a: RunBits, b: RunBits): boolean {
  if (a.steps === b.steps) return a.journalRoot === b.journalRoot;
  const states = new Map(a.states.map(({ step, state }) => [step, state]));
  const common = b.states.filter(({ step }) => states.has(step));
  return common.length > 0 && common.every(({ step, state }) => states.get(step) === state);
}

/** The line below a reproduction's results. */
export function evidenceLine(
  { path, comparable, agreeing, firstOther }: EvidenceComparison,
  manifestPath: string,
): string {
  if (firstOther === undefined) {
    const runs = comparable === 1 ? "1 run has" : `${agreeing} of ${comparable} runs have`;
    return `evidence  ${runs} the bits of the published evidence, ${path}`;
  }
  return `evidence  ${agreeing} of ${comparable} runs have the bits of the published evidence; the first that has not is ` +
    `${firstOther}\nfind the step: deno task diff ${manifestPath} ${path}`;
}
