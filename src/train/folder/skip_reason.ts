/** The one reason for which a planned run is not trained: the state that it starts from was never reached. */

/** How the run that another starts from came out. */
export interface ParentOutcome {
  /** its name in the plan */
  readonly label: string;
  /** whether it was trained at all, and to which end */
  readonly outcome: "completed" | "diverged" | "skipped";
  /** optimizer steps that it made */
  readonly steps: number;
}

/**
 * Why a run cannot start, in words; `undefined` if it can, and must therefore be trained.
 *
 * @param step of the parent's that the run starts from
 */
export function skipReason({ label, outcome, steps }: ParentOutcome, step: number): string | undefined {
  if (outcome === "skipped") return `the run it starts from, "${label}", was skipped`;
  if (steps >= step) return undefined;
  return outcome === "diverged"
    ? `the run it starts from, "${label}", diverged at step ${steps}, before step ${step}`
    : `the run it starts from, "${label}", ended after ${steps} steps, before step ${step}`;
}
