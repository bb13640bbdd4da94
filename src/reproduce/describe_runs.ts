/** What the manifest says of each run: what was planned, what it left, and what this process did for it. */
import { UserError } from "../errors.ts";
import type { ArtefactReader } from "../manifest/verify/artefacts.ts";
import type { ManifestRun } from "../manifest/format/run.ts";
import { type CommittedRun, readTree } from "../manifest/format/run_tree.ts";
import { checkpointName } from "../train/checkpoint/checkpoint.ts";
import { journalFormat } from "../train/journal/journal_header.ts";
import type { RunResult } from "../train/train_plan.ts";

/**
 * Describes runs by the records that training wrote or that were found good, and reads their journals once more.
 *
 * @throws {UserError} `JOURNAL_CHANGED` if a journal is no longer what its run left; if one cannot be read
 */
export async function describeRuns(results: readonly RunResult[], reader: ArtefactReader): Promise<ManifestRun[]> {
  const runs: ManifestRun[] = [];
  for (const result of results) runs.push(await describeRun(result, reader));
  return runs;
}

async function describeRun(result: RunResult, reader: ArtefactReader): Promise<ManifestRun> {
  const { key, label, specification, steps, checkpointSteps, usedBy } = result.run;
  const planned = { key, label, specification, steps, checkpointSteps, usedBy };
  if (result.kind === "skipped") return { ...planned, outcome: "skipped", reason: result.reason };
  const { record, origin } = result;
  const { files } = record;
  const folder = `runs/${label}`;
  const evidence: Omit<CommittedRun, "key" | "specification"> = {
    outcome: record.outcome.kind,
    journal: {
      name: `${folder}/journal.jsonl`,
      sha256: files.journal,
      format: journalFormat(specification),
      root: record.journalRoot,
      steps: record.steps,
    },
    states: record.states.map(({ step, state }) => {
      const name = checkpointName(step);
      const sha256 = files.checkpoints[name];
      return {
        step,
        state,
        checkpoint: sha256 === undefined ? undefined : { name: `${folder}/checkpoints/${name}`, sha256 },
      };
    }),
  };
  const { reading, tree } = await readTree({ key, specification, ...evidence }, reader);
  if (reading.problem !== undefined || reading.chain !== record.journalRoot) {
    throw changed("JOURNAL_CHANGED", evidence.journal.name);
  }
  return {
    ...planned,
    ...evidence,
    merkleTree: tree,
    conditions: record.conditions,
    curves: { name: `${folder}/curves.json`, sha256: files.curves },
    origin,
  };
}

/** What is thrown for a file of a run that changed between training and signing. */
export function changed(code: "JOURNAL_CHANGED" | "CURVES_CHANGED", name: string): UserError {
  return new UserError(
    code,
    `"${name}" is not what training left`,
    "give the same command again, which trains what is no longer whole",
  );
}
