/** The runs' journals: chains and Merkle trees recomputed, rates, states and evaluations as due, states as stated. */
import { shortDigest } from "../../digest/sha256.ts";
import { DueRecords } from "../../train/journal/due_records.ts";
import type { JournalReading } from "../../train/journal/journal_reader.ts";
import type { ArtefactReader } from "./artefacts.ts";
import { LearningRates } from "../consistency/learning_rates.ts";
import type { Predicate } from "../format/predicate.ts";
import { isTrained, type TrainedRun } from "../format/run.ts";
import { readTree } from "../format/run_tree.ts";
import type { StepOutcome } from "./verification_report.ts";
import { listed, readProblem } from "./verify_artefacts.ts";

/** What the journals show. */
export interface JournalFindings {
  readonly outcome: StepOutcome;
  /** what good journals record, by the key of the run */
  readonly good: ReadonlyMap<string, GoodJournal>;
}

/** What a journal records besides the chain. */
export interface GoodJournal extends Pick<JournalReading, "header" | "evaluations" | "divergence"> {
  /** steps that were skipped, ascending */
  readonly skips: readonly number[];
}

/** Recomputes the hash chain of every trained run's journal from its first record, and the run's Merkle tree. */
export async function checkJournals(predicate: Predicate, artefacts: ArtefactReader): Promise<JournalFindings> {
  const good = new Map<string, GoodJournal>();
  const failures: string[] = [];
  const unreadable: string[] = [];
  const rates = new LearningRates();
  const runs = predicate.runs.filter(isTrained);
  let records = 0;
  for (const run of runs) {
    try {
      const journal = await readJournal(run, artefacts, rates.table(run.specification.schedule));
      if (typeof journal === "string") failures.push(`journal of run "${run.label}": ${journal}`);
      else {
        good.set(run.key, journal);
        records += run.journal.steps;
      }
    } catch (error) {
      const problem = readProblem(error);
      (problem.kind === "refused" ? failures : unreadable).push(problem.detail);
    }
  }
  if (failures.length > 0) return { outcome: { status: "failed", detail: listed(failures) }, good };
  if (unreadable.length > 0) return { outcome: { status: "not checked", detail: listed(unreadable) }, good };
  const detail = `hash chains and Merkle trees of ${runs.length} journals recomputed over ${records} steps`;
  return { outcome: { status: "ok", detail }, good };
}

/** What a journal records; a string says why it is not good. */
async function readJournal(
  run: TrainedRun,
  artefacts: ArtefactReader,
  rates: Float32Array,
): Promise<GoodJournal | string> {
  let seen = 0;
  const due = new DueRecords(run, rates);
  const { reading, tree } = await readTree(run, artefacts, (record) => {
    if (record.kind === "state") {
      // At once: a journal may hold millions of states that nothing states.
      const stated = run.states[seen++];
      if (stated?.step !== record.step || stated.state !== record.state) return statesDiffer(record.step);
    }
    return due.visit(record);
  }, (header) => due.begin(header));
  const { problem, steps, chain, header, evaluations, divergence } = reading;
  if (problem !== undefined) return `line ${problem.line}: ${problem.reason}`;
  if (steps !== run.journal.steps) return `it has ${steps} steps, and ${run.journal.steps} are stated`;
  if (chain !== run.journal.root) {
    return `its chain ends in ${shortDigest(chain)}, and ${shortDigest(run.journal.root)} is stated`;
  }
  if ((divergence !== undefined) !== (run.outcome === "diverged")) {
    return divergence === undefined ? "it records no divergence, and one is stated" : "it records a divergence";
  }
  const unrecorded = run.states[seen];
  if (unrecorded !== undefined) return statesDiffer(unrecorded.step);
  const { treeSize, rootHash } = run.merkleTree;
  if (tree.treeSize !== treeSize) return `its Merkle tree has ${tree.treeSize} leaves, and ${treeSize} are stated`;
  if (tree.rootHash !== rootHash) {
    return `its Merkle tree has the root ${shortDigest(tree.rootHash)}, and ${shortDigest(rootHash)} is stated`;
  }
  const missing = due.end(steps);
  if (missing !== undefined) return missing;
  return {
    skips: due.skips,
    evaluations,
    header,
    divergence,
  };
}

function statesDiffer(step: number): string {
  return `the states it records and those stated differ from step ${step} on`;
}
