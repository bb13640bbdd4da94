/** What retraining gives, compared with what a run left: each record, and what goes into a step before it is made. */
import { canonicalJson } from "../digest/canonical_json.ts";
import { sha256 } from "../digest/sha256.ts";
import type { TrainedRun } from "../manifest/format/run.ts";
import { pointAt } from "../results/curves.ts";
import type { WrittenHeader } from "../train/journal/journal_header.ts";
import { curvePoint } from "../train/journal/journal_curves.ts";
import {
  type DivergenceRecord,
  type EvaluationRecord,
  fromBits,
  type SkipRecord,
  type StepRecord,
} from "../train/journal/journal_record.ts";
import type { RunEvent, StepInput } from "../train/run_records.ts";
import { type RetrainingField, RetrainingMismatch } from "./difference.ts";
import type { RunEvidence } from "./evidence.ts";

/** Refuses two values that differ. */
type Compare = (field: RetrainingField, recorded: string, retrained: string) => void;

/**
 * Holds an event against what the run left at its step.
 *
 * @param header of the journal that training here would write
 * @throws {RetrainingMismatch} if it is another
 */
export function compareEvent(run: TrainedRun, evidence: RunEvidence, header: WrittenHeader, event: RunEvent): void {
  const { step } = event;
  const compare: Compare = (field, recorded, retrained) => {
    if (recorded !== retrained) throw new RetrainingMismatch({ run: run.label, step, field, recorded, retrained });
  };
  switch (event.kind) {
    case "input":
      return compareInput(compare, attemptAt(run, evidence, step), event);
    case "step":
    case "skip":
    case "divergence":
      return compareStep(compare, attemptAt(run, evidence, step), event, evidence);
    case "state":
      return compare("state", evidence.states.get(step) ?? "not recorded", event.state);
    case "evaluation":
      return compareEvaluation(compare, evidence, header, event);
    case "reached":
      return;
  }
}

type Attempt = StepRecord | SkipRecord | DivergenceRecord;

/** What is recorded of a step, the one at which the run diverged included. */
function attemptAt({ label }: TrainedRun, { steps, divergence }: RunEvidence, step: number): Attempt {
  const record = steps[step] ?? (divergence?.step === step ? divergence : undefined);
  if (record === undefined) throw new Error(`Run "${label}" has no record of step ${step}`);
  return record;
}

function compareInput(compare: Compare, recorded: Attempt, { batch, lr }: StepInput): void {
  compare("batch", recorded.batch, batch);
  if (recorded.kind === "step") compare("learning rate", recorded.lr, lr);
}

const OUTCOMES = { step: "updated", skip: "skipped", divergence: "diverged" } as const;

function compareStep(compare: Compare, recorded: Attempt, retrained: Attempt, { curves }: RunEvidence): void {
  if (recorded.kind === "divergence") {
    compare("divergence", divergenceIn(recorded), divergenceIn(retrained));
    if (retrained.kind === "divergence") {
      compare("curve", curves.diverged?.loss ?? "whole", String(fromBits(retrained.value)));
    }
    return;
  }
  const loss = lossOf(retrained);
  if (loss !== undefined) compare("loss", recorded.loss, loss);
  compare("skip", OUTCOMES[recorded.kind], OUTCOMES[retrained.kind]);
  if (recorded.kind === "step" && retrained.kind === "step") {
    compare("gradient norm", recorded.gradientNorm, retrained.gradientNorm);
  }
}

function divergenceIn(record: Attempt): string {
  return record.kind === "divergence" ? `${record.divergence} ${record.value}` : "none";
}

/** Bits of the loss, which the record of a gradient's divergence does not say. */
function lossOf(record: Attempt): string | undefined {
  if (record.kind !== "divergence") return record.loss;
  return record.divergence === "loss" ? record.value : undefined;
}

/** The curve says what the journal does, and also what journals of version 1 do not. */
function compareEvaluation(
  compare: Compare,
  { curves }: RunEvidence,
  header: WrittenHeader,
  event: EvaluationRecord,
): void {
  const validation = header.version === 3 ? header.validation : undefined;
  const [point, found] = [pointAt(curves, event.step), curvePoint(event, validation)];
  const ratios = header.bytesPerToken;
  compareParts(compare, "validation sets", curves.validation, validation);
  compareParts(compare, "losses by domain", point?.domains, found.domains);
  compareParts(compare, "losses by sampled document", point?.sampledDocuments, found.sampledDocuments);
  compareParts(compare, "losses by document", point?.documents, found.documents);
  for (const name of ["upstream", "downstream"] as const) {
    compare("curve", `${name} ${point?.[name]}`, `${name} ${found[name]}`);
    compare(
      "curve",
      `${curves.bytesPerToken[name]} ${name} bytes a token`,
      `${ratios[name]} ${name} bytes a token`,
    );
  }
}

/** What is too long to be shown is shown by its digest. */
function compareParts(compare: Compare, what: string, recorded: unknown, retrained: unknown): void {
  const shown = (value: unknown) => value === undefined ? `no ${what}` : `${what} ${sha256(canonicalJson(value))}`;
  compare("curve", shown(recorded), shown(retrained));
}
