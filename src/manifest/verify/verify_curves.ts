/** The runs' curves: theirs, complete, and those that their journals record. Web-standard APIs only. */
import { sha256 } from "../../digest/sha256.ts";
import { isEvaluationStep } from "../../experiment/run/evaluation.ts";
import type { RunKey } from "../../experiment/run/run.ts";
import type { Curves } from "../../results/curves.ts";
import { curvesSchema } from "../../results/curves_schema.ts";
import { curveDifference, curvesOfJournal } from "../../train/journal/journal_curves.ts";
import { updatesBefore } from "../../train/journal/skipped_steps.ts";
import { maxCurvesBytes } from "./artefact_limits.ts";
import { type ArtefactReader, readArtefact } from "./artefacts.ts";
import { LearningRates } from "../consistency/learning_rates.ts";
import type { Predicate } from "../format/predicate.ts";
import { isTrained, type TrainedRun } from "../format/run.ts";
import { schemaFlaws } from "../statement.ts";
import { parseStrictJson } from "../../text/strict_json.ts";
import type { StepOutcome } from "./verification_report.ts";
import { listed, readProblem } from "./verify_artefacts.ts";
import type { GoodJournal } from "./verify_journals.ts";

/** What the curves' files hold. */
export interface CurveFindings {
  readonly outcome: StepOutcome;
  /** curves of the trained runs; complete if the outcome is "ok" */
  readonly curves: ReadonlyMap<RunKey, Curves>;
}

/**
 * Reads the curves of every trained run.
 *
 * @param goodJournals what the journals that were found good record; no other run's curve is looked at
 */
export async function checkCurves(
  predicate: Predicate,
  artefacts: ArtefactReader,
  goodJournals: ReadonlyMap<string, GoodJournal>,
): Promise<CurveFindings> {
  const curves = new Map<RunKey, Curves>();
  const failures: string[] = [];
  const unchecked: string[] = [];
  const rates = new LearningRates();
  let points = 0;
  for (const run of predicate.runs.filter(isTrained)) {
    const journal = goodJournals.get(run.key);
    if (journal === undefined) {
      unchecked.push(`curve of run "${run.label}": its journal is not good`);
      continue;
    }
    try {
      const bytes = await readArtefact(artefacts, run.curves.name, maxCurvesBytes(run));
      const found = readCurves(bytes, run, rates.table(run.specification.schedule), journal);
      if (typeof found === "string") failures.push(`curve of run "${run.label}": ${found}`);
      else {
        curves.set(run.key, found);
        points += found.points.length;
      }
    } catch (error) {
      const problem = readProblem(error);
      (problem.kind === "refused" ? failures : unchecked).push(problem.detail);
    }
  }
  if (failures.length > 0) return { outcome: { status: "failed", detail: listed(failures) }, curves };
  if (unchecked.length > 0) return { outcome: { status: "not checked", detail: listed(unchecked) }, curves };
  const detail = `${curves.size} curves hold every planned evaluation, ${points} points`;
  return { outcome: { status: "ok", detail }, curves };
}

function readCurves(
  bytes: Uint8Array,
  run: TrainedRun,
  rates: Float32Array,
  journal: GoodJournal,
): Curves | string {
  if (sha256(bytes) !== run.curves.sha256) return "it was changed";
  let value: unknown;
  try {
    value = parseStrictJson(bytes);
  } catch (error) {
    return error instanceof Error ? error.message : "it is not JSON";
  }
  const parsed = curvesSchema.safeParse(value);
  if (!parsed.success) return schemaFlaws(parsed.error).join("; ");
  const { header, skips } = journal;
  const flaw = header !== undefined && header.version !== 1
    ? curveDifference(parsed.data, curvesOfJournal(run, { ...journal, ...header }))
    : curvesFlaw(parsed.data, run, rates, skips);
  return flaw ?? parsed.data;
}

/** Where journals record no evaluations, of which points a curve must consist. */
function curvesFlaw(
  curves: Curves,
  run: TrainedRun,
  rates: Float32Array,
  skips: readonly number[],
): string | undefined {
  const { specification, label, key, journal, outcome } = run;
  if (curves.runKey !== key || curves.label !== label) return `it is that of run "${curves.label}"`;
  const tokensPerStep = specification.batchSequences * specification.model.sequenceLength;
  if (curves.tokensPerStep !== tokensPerStep) return `it counts ${curves.tokensPerStep} tokens a step`;
  if ((curves.diverged !== undefined) !== (outcome === "diverged")) return "it disagrees about a divergence";
  if (curves.diverged !== undefined && curves.diverged.step !== journal.steps) {
    return `it diverges at step ${curves.diverged.step}, and the journal at ${journal.steps}`;
  }
  let index = 0;
  for (let step = 0; step <= journal.steps; step++) {
    if (!isEvaluationStep(specification.evaluation, step)) continue;
    const point = curves.points[index];
    if (point?.step !== step) return `it has no point at step ${step}, where an evaluation is due`;
    const rate = rates[Math.min(updatesBefore(skips, step), rates.length - 1)];
    if (Math.fround(point.learningRate) !== rate) {
      return `its learning rate at step ${step} is ${point.learningRate}, and the schedule has ${rate}`;
    }
    index++;
  }
  const extra = curves.points[index];
  return extra === undefined ? undefined : `it has a point at step ${extra.step}, where no evaluation is due`;
}
