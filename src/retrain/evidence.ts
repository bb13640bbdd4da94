/** What a run left, read again from the artefacts and checked against the manifest's digests. */
import { type Digest, sha256, shortDigest } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";
import { type ArtefactReader, readArtefact } from "../manifest/verify/artefacts.ts";
import type { TrainedRun } from "../manifest/format/run.ts";
import { parseStrictJson } from "../text/strict_json.ts";
import type { Curves } from "../results/curves.ts";
import { curvesSchema, MAX_CURVES_LENGTH } from "../results/curves_schema.ts";
import { curveDifference, curvesOfJournal } from "../train/journal/journal_curves.ts";
import { readJournal } from "../train/journal/journal_reader.ts";
import type { DivergenceRecord, SkipRecord, StepRecord } from "../train/journal/journal_record.ts";

/** Journal and curve of a run; the curve is the one that the journal records. */
export interface RunEvidence {
  /** by step */
  readonly steps: readonly (StepRecord | SkipRecord)[];
  /** steps that were skipped, ascending */
  readonly skips: readonly number[];
  /** state digests by step */
  readonly states: ReadonlyMap<number, Digest>;
  readonly divergence?: DivergenceRecord;
  readonly curves: Curves;
}

/**
 * Reads a run's journal and curve. They were verified before; between then and now nobody may have changed them.
 *
 * @throws {UserError} `EVIDENCE_CHANGED`, and what the reader throws
 */
export async function readEvidence(run: TrainedRun, artefacts: ArtefactReader): Promise<RunEvidence> {
  const steps: (StepRecord | SkipRecord)[] = [];
  const skips: number[] = [];
  const reading = await readJournal(artefacts.open(run.journal.name), run.key, (record) => {
    if (record.kind === "step" || record.kind === "skip") steps.push(record);
    if (record.kind === "skip") skips.push(record.step);
    return undefined;
  });
  if (reading.problem !== undefined || reading.chain !== run.journal.root) throw changed(run.journal.name);
  const bytes = await readArtefact(artefacts, run.curves.name, MAX_CURVES_LENGTH);
  if (sha256(bytes) !== run.curves.sha256) throw changed(run.curves.name);
  const curves = curvesSchema.parse(parseStrictJson(bytes));
  const { header } = reading;
  if (header !== undefined && header.version !== 1) {
    const recorded = curvesOfJournal(run, { ...reading, ...header });
    const difference = curveDifference(curves, recorded);
    if (difference !== undefined) throw changed(run.curves.name, difference);
  }
  return {
    steps,
    skips,
    states: new Map(reading.states.map(({ step, state }) => [step, state])),
    divergence: reading.divergence,
    curves,
  };
}

/**
 * The bytes of a checkpoint; `undefined` if it is not there.
 *
 * @throws {UserError} `EVIDENCE_CHANGED`, and what the reader throws
 */
export async function readCheckpointArtefact(
  { name, sha256: expected }: { readonly name: string; readonly sha256: Digest },
  artefacts: ArtefactReader,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await readArtefact(artefacts, name, maxBytes);
  } catch (error) {
    if (error instanceof UserError && error.code === "FILE_NOT_FOUND") return undefined;
    throw error;
  }
  const found = sha256(bytes);
  if (found !== expected) throw changed(name, `its digest is ${shortDigest(found)}, not ${shortDigest(expected)}`);
  return bytes;
}

function changed(name: string, detail = "it is not what was verified a moment ago"): UserError {
  return new UserError("EVIDENCE_CHANGED", `"${name}" was changed while it was verified: ${detail}`);
}
