/** The runs' own records, `run.json`, against what the manifest says of the runs. Web-standard APIs only. */
import { canonicalJson } from "../../digest/canonical_json.ts";
import { parseStrictJson } from "../../text/strict_json.ts";
import type { RunKey } from "../../experiment/run/run.ts";
import type { Curves } from "../../results/curves.ts";
import { checkpointName } from "../../train/checkpoint/checkpoint_name.ts";
import { type RunRecord, runRecordSchema } from "../../train/folder/run_record.ts";
import { type ArtefactReader, readArtefact } from "./artefacts.ts";
import type { Predicate } from "../format/predicate.ts";
import { isTrained, type TrainedRun } from "../format/run.ts";
import { schemaFlaws } from "../statement.ts";

const MAX_RECORD_BYTES = 16 * 2 ** 20;

/** The name of a run's record among the subjects. No member says it: a record is looked at where it lies under it. */
export function recordName({ label }: TrainedRun): string {
  return `runs/${label}/run.json`;
}

/**
 * The first record that says something else than the manifest; `undefined` if there is none.
 *
 * @param good names of artefacts that are as they were signed
 * @param curves of all trained runs
 */
export async function recordsFlaw(
  { runs }: Predicate,
  artefacts: ArtefactReader,
  good: ReadonlySet<string>,
  curves: ReadonlyMap<RunKey, Curves>,
): Promise<string | undefined> {
  for (const run of runs.filter(isTrained)) {
    const name = recordName(run);
    if (!good.has(name)) continue;
    const record = readRecord(await readArtefact(artefacts, name, MAX_RECORD_BYTES));
    const flaw = typeof record === "string" ? record : recordFlaw(record, run, curves.get(run.key));
    if (flaw !== undefined) return `record of run "${run.label}": ${flaw}`;
  }
  return undefined;
}

function readRecord(bytes: Uint8Array): RunRecord | string {
  try {
    const parsed = runRecordSchema.safeParse(parseStrictJson(bytes));
    return parsed.success ? parsed.data : schemaFlaws(parsed.error).join("; ");
  } catch (error) {
    return error instanceof Error ? error.message : "it is not JSON";
  }
}

function recordFlaw(record: RunRecord, run: TrainedRun, curve: Curves | undefined): string | undefined {
  const { key, label, outcome, journal, states, curves, conditions = null } = run;
  const stated: RunRecord | object = {
    format: record.format,
    key,
    label,
    steps: journal.steps,
    outcome: outcome === "completed"
      ? { kind: outcome }
      : { kind: outcome, step: journal.steps, value: curve?.diverged?.loss ?? "" },
    journalRoot: journal.root,
    states: states.map(({ step, state }) => ({ step, state })),
    conditions,
    files: {
      journal: journal.sha256,
      curves: curves.sha256,
      checkpoints: Object.fromEntries(
        states.flatMap(({ step, checkpoint }) =>
          checkpoint === undefined ? [] : [[checkpointName(step), checkpoint.sha256]]
        ),
      ),
    },
  };
  const found = new Map(Object.entries({ ...record, conditions: record.conditions ?? null }));
  const other = Object.entries(stated).find(([name, value]) => canonicalJson(found.get(name)) !== canonicalJson(value))
    ?.[0];
  return other === undefined ? undefined : `its "${other}" is not what the manifest says`;
}
