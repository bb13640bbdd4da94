/** A run in the predicate: what was planned, and what it left. */
import type { Digest } from "../../digest/sha256.ts";
import type { PlannedRun } from "../../experiment/run/run.ts";
import type { JournalFormat } from "../../train/journal/journal_header.ts";
import type { ConditionPeriod } from "../../train/conditions.ts";

/** Name and digest of one of the statement's subjects. */
export interface Artefact {
  /** path relative to the manifest's folder, parts separated by `/` */
  readonly name: string;
  /** of its bytes */
  readonly sha256: Digest;
}

/** A journal by name and digest, and what it ends with. */
export interface JournalArtefact extends Artefact {
  /** as its first line has it; absent in version 1 of the predicate, where it is version 1 of the format too */
  readonly format?: JournalFormat;
  /** chain digest of the last record */
  readonly root: Digest;
  /** optimizer steps recorded: those planned, or more where an earlier plan in the same folder was longer */
  readonly steps: number;
}

/** A state digest recorded in a journal. */
export interface StateEvidence {
  /** optimizer steps done */
  readonly step: number;
  /** of weights and both moments (docs/manifest.md) */
  readonly state: Digest;
  /** where the state itself is an artefact */
  readonly checkpoint?: Artefact;
}

/** Head of a run's Merkle tree (RFC 9162) over the lines of its journal and its checkpoints (docs/manifest.md). */
export interface MerkleTreeHead {
  /** number of leaves: see {@linkcode leafCount} */
  readonly treeSize: number;
  /** hash of the root */
  readonly rootHash: Digest;
}

/**
 * What the process that signed did for a run: trained all of it, resumed from a checkpoint that lay in the folder, or
 * found it finished there, and checked journal, curves and checkpoints against its record without training it.
 */
export type RunOrigin = "trained" | "resumed" | "found";

/** A piece of a run that was retrained before the manifest was signed, and gave the recorded bits. */
export interface RetrainedSegment {
  /** steps done before it */
  readonly fromStep: number;
  /** steps done after it */
  readonly toStep: number;
}

/** A machine that trained a run from a step on, up to where the next one does. */
export interface RunTrainer {
  /** optimizer steps done when it began */
  readonly fromStep: number;
  /** the same number for the same machine, throughout the manifest; counted from 1 */
  readonly machine: number;
  /** operating system */
  readonly os: string;
  /** such as `x86_64` */
  readonly architecture: string;
  /** model of the processor */
  readonly cpu: string;
  /** `none`, or the model with its driver */
  readonly gpu: string;
  /** version of Deno */
  readonly deno: string;
  /** name of the engine */
  readonly engine: string;
  /** the scheduler's job, such as `slurm 4711`; absent outside of one */
  readonly job?: string;
}

/** A run that was trained, to its end or to its divergence. */
export interface TrainedRun extends PlannedRun {
  /** `diverged`: a loss or a gradient norm was no finite number */
  readonly outcome: "completed" | "diverged";
  /** one record an optimizer step, chained by digest */
  readonly journal: JournalArtefact;
  /** ascending by step */
  readonly states: readonly StateEvidence[];
  /** one root over journal and checkpoints, so that a part of them can be shown without the rest */
  readonly merkleTree: MerkleTreeHead;
  /** device, driver and libraries, where the bits depend on more than the key; ascending, the first from step 0 */
  readonly conditions?: readonly ConditionPeriod[];
  /** `curves.json`: the validation losses */
  readonly curves: Artefact;
  /** what the process that signed did for it; absent in version 1 of the predicate */
  readonly origin?: RunOrigin;
  /** which machines trained it; ascending by step. Absent where they left no notes, as earlier versions did */
  readonly trainedBy?: readonly RunTrainer[];
  /** ascending and apart; absent where nothing was retrained */
  readonly retrained?: readonly RetrainedSegment[];
}

/** A run that was planned and not trained. */
export interface SkippedRun extends PlannedRun {
  /** nothing was left */
  readonly outcome: "skipped";
  /** why, in words */
  readonly reason: string;
}

/** A planned run with what it left: the evidence that verification goes back to. */
export type ManifestRun = TrainedRun | SkippedRun;

/** What the plan says of a run, without what it left. */
export function plannedPart(run: ManifestRun): PlannedRun {
  const { key, label, specification, steps, checkpointSteps, usedBy } = run;
  return { key, label, specification, steps, checkpointSteps, usedBy };
}

/** Whether a run was trained: it has evidence. */
export function isTrained(run: ManifestRun): run is TrainedRun {
  return run.outcome !== "skipped";
}
