/** Which checkpoints a bundle takes along. */
import { suggest, UserError } from "../errors.ts";
import { startsOf } from "../experiment/run/run_starts.ts";
import { findRun } from "../manifest/format/find_run.ts";
import { isTrained, type ManifestRun, type StateEvidence, type TrainedRun } from "../manifest/format/run.ts";
import { parseSegment, type Segment } from "../retrain/segment.ts";

type Rule = (run: TrainedRun, state: StateEvidence) => boolean;

const RULES = {
  /** a bundle verifies as its folder does, and is retrained from anywhere */
  all: () => true,
  /** where claims look at the curves, and where other runs start */
  landmarks: ({ specification, checkpointSteps }, { step }) =>
    specification.evaluation.landmarks.includes(step) || checkpointSteps.includes(step),
  /** the newest one of each run: the trained models */
  last: ({ states }, { step }) => states.findLast(({ checkpoint }) => checkpoint !== undefined)?.step === step,
  /** retraining starts where the runs begin */
  none: () => false,
} as const satisfies Readonly<Record<string, Rule>>;

/** Words that choose checkpoints. `RUN:STEP` chooses a single one. */
export const CHECKPOINT_CHOICES: readonly string[] = Object.keys(RULES);

/** Which checkpoints are taken: those that any word or segment names. */
export interface WantedCheckpoints {
  /** of {@linkcode CHECKPOINT_CHOICES}, and `RUN:STEP`, where RUN is a label or the beginning of a key */
  readonly checkpoints: readonly string[];
  /** `RUN:FROM..TO`: what retraining such a segment reads */
  readonly segments: readonly string[];
}

/** The checkpoints of a manifest by their names. */
export interface CheckpointChoice {
  readonly taken: ReadonlySet<string>;
  readonly left: ReadonlySet<string>;
}

/**
 * Sorts the checkpoints that a manifest names.
 *
 * @throws {UserError} `UNKNOWN_CHECKPOINT`, `UNKNOWN_RUN` or `BAD_SEGMENT`
 */
export function chooseCheckpoints(
  { checkpoints, segments }: WantedCheckpoints,
  runs: readonly ManifestRun[],
): CheckpointChoice {
  const rules = [
    ...checkpoints.map((word) => ruleOf(word, runs)),
    ...segments.map((name) => segmentRule(parseSegment(name, runs), runs)),
  ];
  const taken = new Set<string>();
  const left = new Set<string>();
  for (const run of runs.filter(isTrained)) {
    for (const state of run.states) {
      if (state.checkpoint === undefined) continue;
      (rules.some((rule) => rule(run, state)) ? taken : left).add(state.checkpoint.name);
    }
  }
  return { taken, left };
}

/** What a segment is retrained from, and what it is compared with at its end. */
function segmentRule({ run, from, to }: Segment, runs: readonly ManifestRun[]): Rule {
  const states = new Set<StateEvidence>();
  const end = run.states.find(({ step }) => step === to);
  if (end !== undefined) states.add(end);
  const visited = new Set<TrainedRun>();
  // Without a checkpoint to start at, training starts where the run begins, and so from what that begins with.
  const addStart = (run: TrainedRun, step: number) => {
    const start = run.states.findLast((state) =>
      state.step > 0 && state.step <= step && state.checkpoint !== undefined
    );
    if (start !== undefined) states.add(start);
    // A penalty pulls towards the run's start, wherever retraining begins.
    if (start === undefined || run.specification.penalty !== undefined) addParents(run);
  };
  const addParents = (run: TrainedRun) => {
    if (visited.has(run)) return;
    visited.add(run);
    for (const { run: key, step } of startsOf(run.specification.initialWeights)) {
      const parent = runs.filter(isTrained).find((other) => other.key === key);
      if (parent !== undefined) addStart(parent, step);
    }
  };
  addStart(run, from);
  return (_, state) => states.has(state);
}

function isChoice(word: string): word is keyof typeof RULES {
  return Object.hasOwn(RULES, word);
}

function ruleOf(word: string, runs: readonly ManifestRun[]): Rule {
  if (isChoice(word)) return RULES[word];
  const [, name, digits] = /^(.+):(\d{1,15})$/.exec(word) ?? [];
  if (name === undefined) {
    throw new UserError(
      "UNKNOWN_CHECKPOINT",
      `"${word}" names no checkpoints`,
      `${suggest(word, CHECKPOINT_CHOICES)}, or write RUN:STEP`,
    );
  }
  const wanted = findRun(name, runs);
  const step = Number(digits);
  const steps = wanted.states.filter(({ checkpoint }) => checkpoint !== undefined).map((state) => state.step);
  if (!steps.includes(step)) {
    throw new UserError(
      "UNKNOWN_CHECKPOINT",
      `Run "${wanted.label}" has no checkpoint at step ${step}`,
      steps.length === 0 ? "it has none" : `it has some at ${steps.join(", ")}`,
    );
  }
  return (run, state) => run === wanted && state.step === step;
}
