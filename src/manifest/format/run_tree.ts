/**
 * The Merkle tree of a run: which leaves it has, in which order, and what is hashed for each (docs/manifest.md). The
 * lines of the journal come first, the checkpoints after them. Web-standard APIs only.
 */
import { MerkleTree } from "../../digest/merkle.ts";
import { evaluationCount, isEvaluationStep } from "../../experiment/run/evaluation.ts";
import {
  type HeaderVisitor,
  type JournalReading,
  readJournal,
  type RecordVisitor,
} from "../../train/journal/journal_reader.ts";
import { formatHeader } from "../../train/journal/journal_header.ts";
import { formatRecord } from "../../train/journal/journal_record.ts";
import type { ArtefactReader } from "../verify/artefacts.ts";
import type { Artefact, MerkleTreeHead, TrainedRun } from "./run.ts";

const encoder = new TextEncoder();

/** What a run states apart from its tree: with the journal all that the tree is made of. */
export type CommittedRun = Pick<TrainedRun, "key" | "specification" | "outcome" | "journal" | "states">;

/** A leaf's data for a line of a journal, without its line feed. */
export function journalLeaf(journal: Pick<Artefact, "name">, line: string): Uint8Array {
  return encoder.encode(`rewarm journal line v1\n${journal.name}\n${line}`);
}

/** A leaf's data for a checkpoint: its digest stands for its bytes. */
export function checkpointLeaf({ name, sha256 }: Artefact): Uint8Array {
  return encoder.encode(`rewarm checkpoint digest v1\n${name}\n${sha256}`);
}

/** Evaluations that a run's journal records up to a step: those that are due, from version 2 of the format on. */
function evaluationsUpTo({ journal, specification }: CommittedRun, step: number): number {
  return hasEvaluations(journal) ? evaluationCount(specification.evaluation, Math.min(step, journal.steps)) : 0;
}

function hasEvaluations({ format }: CommittedRun["journal"]): boolean {
  return format !== undefined && format !== "rewarm journal v1";
}

/** Lines of a run's journal: a header, the steps, the states, the evaluations, and the divergence that ended it. */
function lineCount(run: CommittedRun): number {
  const { journal, states, outcome } = run;
  const evaluations = evaluationsUpTo(run, journal.steps);
  return 1 + journal.steps + states.length + evaluations + (outcome === "diverged" ? 1 : 0);
}

/** How many leaves a run's tree has, as follows from what the run states. */
export function leafCount(run: CommittedRun): number {
  return lineCount(run) + run.states.filter(({ checkpoint }) => checkpoint !== undefined).length;
}

/** A part of a run that is a leaf of its tree. */
export interface RunPart {
  /** a record of the journal, or the artefact that holds a state */
  readonly kind: "step" | "state" | "evaluation" | "divergence" | "checkpoint";
  /** number of the step, from 0; for `state`, `evaluation` and `checkpoint` the steps done */
  readonly step: number;
}

/** All kinds of parts. */
export const PART_KINDS = [
  "step",
  "state",
  "evaluation",
  "divergence",
  "checkpoint",
] as const satisfies readonly RunPart["kind"][];

/** The place of a part among the leaves of its run's tree, from 0; `undefined` if the run states no such part. */
export function leafIndex(run: CommittedRun, { kind, step }: RunPart): number | undefined {
  if (!Number.isSafeInteger(step) || step < 0) return undefined;
  const { states, journal, outcome, specification } = run;
  const before = states.filter((state) => state.step < step);
  const here = states.find((state) => state.step === step);
  // Line 0 is the header; between two steps a state comes first, then an evaluation.
  const first = 1 + step + before.length + evaluationsUpTo(run, step - 1);
  const stateLines = here === undefined ? 0 : 1;
  const isEvaluated = hasEvaluations(journal) && isEvaluationStep(specification.evaluation, step);
  switch (kind) {
    case "step":
      return step < journal.steps ? first + stateLines + (isEvaluated ? 1 : 0) : undefined;
    case "state":
      return here === undefined ? undefined : first;
    case "evaluation":
      return isEvaluated && step <= journal.steps ? first + stateLines : undefined;
    case "divergence":
      return outcome === "diverged" && step === journal.steps ? lineCount(run) - 1 : undefined;
    case "checkpoint":
      if (here?.checkpoint === undefined) return undefined;
      return lineCount(run) + before.filter(({ checkpoint }) => checkpoint !== undefined).length;
  }
}

/**
 * Reads a run's journal, and hands out the leaves of the run's tree in their order.
 *
 * @param onLeaf is given each leaf's data; those of the journal end where the journal has a problem
 * @param visit sees the journal's records, and may object to one
 * @param visitHeader sees its header before them, and may object to it
 */
export async function readLeaves(
  run: CommittedRun,
  artefacts: ArtefactReader,
  onLeaf: (data: Uint8Array) => void,
  visit: RecordVisitor = () => undefined,
  visitHeader: HeaderVisitor = () => undefined,
): Promise<JournalReading> {
  const reading = await readJournal(artefacts.open(run.journal.name), run.key, (record, position) => {
    // A record has one spelling, so that this is the line that was read.
    onLeaf(journalLeaf(run.journal, formatRecord(record, position.chain)));
    return visit(record, position);
  }, (header, position) => {
    if (`rewarm journal v${header.version}` !== (run.journal.format ?? "rewarm journal v1")) {
      return `it has version ${header.version} of the format, and "${
        run.journal.format ?? "rewarm journal v1"
      }" is stated`;
    }
    onLeaf(journalLeaf(run.journal, formatHeader(header)));
    return visitHeader(header, position);
  });
  for (const { checkpoint } of run.states) {
    if (checkpoint !== undefined) onLeaf(checkpointLeaf(checkpoint));
  }
  return reading;
}

/** Reads a run's journal and makes its tree. */
export async function readTree(
  run: CommittedRun,
  artefacts: ArtefactReader,
  visit?: RecordVisitor,
  visitHeader?: HeaderVisitor,
): Promise<{ readonly reading: JournalReading; readonly tree: MerkleTreeHead }> {
  const tree = new MerkleTree();
  const reading = await readLeaves(run, artefacts, (data) => tree.append(data), visit, visitHeader);
  return { reading, tree: { treeSize: tree.size, rootHash: tree.root() } };
}
