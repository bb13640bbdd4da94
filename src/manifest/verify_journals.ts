/** The runs' journals: chains and Merkle trees recomputed, rates against the schedules, states against the manifest. */
import { shortDigest } from "../digest/sha256.ts";
import { isCheckpointStep } from "../experiment/evaluation.ts";
import { fromBits, JOURNAL_FORMAT, toBits } from "../train/journal_record.ts";
import type { ArtefactReader } from "./artefacts.ts";
import { LearningRates } from "./learning_rates.ts";
import type { Predicate } from "./predicate.ts";
import { isTrained, type TrainedRun } from "./run.ts";
import { readTree } from "./run_tree.ts";
import type { StepOutcome } from "./verification_report.ts";
import { listed, readProblem } from "./verify_artefacts.ts";

/** What the journals show. */
export interface JournalFindings {
  readonly outcome: StepOutcome;
  /** runs whose journals are good, by key, with the steps that were skipped, ascending */
  readonly good: ReadonlyMap<string, readonly number[]>;
}

/** Recomputes the hash chain of every trained run's journal from its first record, and the run's Merkle tree. */
export async function checkJournals(predicate: Predicate, artefacts: ArtefactReader): Promise<JournalFindings> {
  const good = new Map<string, readonly number[]>();
  const failures: string[] = [];
  const unreadable: string[] = [];
  const rates = new LearningRates();
  const runs = predicate.runs.filter(isTrained);
  let records = 0;
  for (const run of runs) {
    try {
      const skips: number[] = [];
      const flaw = await journalFlaw(run, artefacts, rates.table(run.specification.schedule), skips);
      if (flaw !== undefined) failures.push(`journal of run "${run.label}": ${flaw}`);
      else {
        good.set(run.key, skips);
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

/** @param skips takes the steps that were skipped */
async function journalFlaw(
  run: TrainedRun,
  artefacts: ArtefactReader,
  rates: Float32Array,
  skips: number[],
): Promise<string | undefined> {
  const { format = JOURNAL_FORMAT } = run.journal;
  if (format !== JOURNAL_FORMAT) return `it is said to be a "${format}", and this version reads "${JOURNAL_FORMAT}"`;
  let seen = 0;
  const { reading, tree } = await readTree(run, artefacts, (record) => {
    if (record.kind === "state") {
      // At once: a journal may hold millions of states that nothing states.
      const stated = run.states[seen++];
      return stated?.step === record.step && stated.state === record.state ? undefined : statesDiffer(record.step);
    }
    if (record.kind === "skip") {
      if (run.specification.engine.level === "machine_to_machine") {
        return "it skips a step, which its arithmetic never does";
      }
      skips.push(record.step);
    }
    if (record.kind !== "step") return undefined;
    const rate = rates[record.step - skips.length];
    if (rate === undefined) return "it is for a step after the end of the schedule";
    if (toBits(rate) === record.lr) return undefined;
    return `its learning rate is ${fromBits(record.lr)}, and the schedule has ${rate}`;
  });
  const { problem, steps, chain, states, divergence } = reading;
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
  const recordedSteps = new Set(states.map(({ step }) => step));
  for (let step = 0; step <= steps; step++) {
    const isDue = step === 0 || isCheckpointStep(run.specification, step);
    if (isDue !== recordedSteps.has(step)) {
      return isDue
        ? `it records no state at step ${step}, where one is due`
        : `it records a state at step ${step}, where none is due`;
    }
  }
  return undefined;
}

function statesDiffer(step: number): string {
  return `the states it records and those stated differ from step ${step} on`;
}
