/** At which steps a run evaluates both validation sets, and at which it keeps a checkpoint. */
import type { EvaluationSpecification, RunSpecification } from "./run.ts";

/**
 * Whether both validation sets are evaluated before this optimizer step: at step 0, on the grid of the
 * specification, and at the end of the run. Without `lastStep` the answer depends on the step alone.
 *
 * @param step optimizer steps done
 * @param lastStep optimizer steps of the whole run
 */
export function isEvaluationStep(specification: EvaluationSpecification, step: number, lastStep?: number): boolean {
  if (step === 0 || step === lastStep || specification.landmarks.includes(step)) return true;
  const interval = step <= specification.denseUntilStep ? specification.denseInterval : specification.interval;
  return step % interval === 0;
}

/**
 * Whether an evaluation also reads the whole validation set, and keeps its losses by document: at the start and at
 * landmarks, where arms end and claims look.
 */
export function isWholeEvaluation({ landmarkWindows, landmarks }: EvaluationSpecification, step: number): boolean {
  return landmarkWindows !== undefined && (step === 0 || landmarks.includes(step));
}

/** How many steps up to and including this one have an evaluation, counted without walking through them. */
export function evaluationCount(specification: EvaluationSpecification, lastStep: number): number {
  const { landmarks, interval, denseInterval, denseUntilStep } = specification;
  if (lastStep < 0) return 0;
  const denseEnd = Math.min(lastStep, denseUntilStep);
  const dense = Math.floor(denseEnd / denseInterval);
  const sparse = Math.floor(lastStep / interval) - Math.floor(denseEnd / interval);
  const offGrid = new Set(landmarks).values().filter((step) =>
    step > 0 && step <= lastStep && step % (step <= denseUntilStep ? denseInterval : interval) !== 0
  );
  return 1 + dense + sparse + [...offGrid].length;
}

/** All evaluation steps of a run, ascending. */
export function evaluationSteps(specification: EvaluationSpecification, lastStep: number): number[] {
  return Array.from({ length: lastStep + 1 }, (_, step) => step)
    .filter((step) => isEvaluationStep(specification, step, lastStep));
}

/** Whether the journal records the state after this many optimizer steps: at the start, and wherever a checkpoint is due. */
export function isStateStep(
  specification: Pick<RunSpecification, "checkpointInterval" | "evaluation">,
  step: number,
): boolean {
  return step === 0 || isCheckpointStep(specification, step);
}

/**
 * Whether a checkpoint is due after this many optimizer steps: on the interval and at landmarks, where arms end and
 * start. The journal records the state's digest there. A function of the specification only, so that the journal of a
 * run that was prolonged is that of a run planned longer from the start.
 */
export function isCheckpointStep(
  { checkpointInterval, evaluation }: Pick<RunSpecification, "checkpointInterval" | "evaluation">,
  step: number,
): boolean {
  return step > 0 && (step % checkpointInterval === 0 || evaluation.landmarks.includes(step));
}
