/** What a run begins with: random weights, those of other runs' checkpoints, or those that somebody else trained. */
import type { Session, TrainingState } from "../../engine/engine.ts";
import type { ImportedStart, PlannedRun, RunCheckpoint } from "../../experiment/run/run.ts";
import { anchorPenalty } from "./penalty.ts";
import { initializeWeights } from "../../model/initial_weights.ts";
import type { Corpora } from "../evaluation/evaluation.ts";
import { loadImported, type OpenImported } from "../checkpoint/imported_weights.ts";

/** The run that another starts from, after the steps that the other's specification names. */
export interface ParentState {
  /** Fills a state with its weights and with what its optimizer keeps. */
  load(state: TrainingState): Promise<void>;
  /** Updates that it had behind it. */
  updates(): Promise<number>;
}

/** A state of a run that others start from, by run and step; undefined if the run was not given. */
export type FindParent<Part extends keyof ParentState> = (start: RunCheckpoint) => Pick<ParentState, Part> | undefined;

/** Where a run's start is looked for. */
export interface StartSources {
  /** the runs whose checkpoints it starts from, if it does */
  readonly parent?: FindParent<"load">;
  /** weights that others trained */
  readonly imported?: OpenImported;
  /** what a penalty's importance is estimated on */
  readonly corpora: Corpora;
}

/** Where what lies behind a run's start is looked for. */
export interface PriorSources {
  /** the run whose checkpoint it starts from, if it does */
  readonly parent?: FindParent<"updates">;
}

/** A run by what its start follows from. */
type Starting = Pick<PlannedRun, "label" | "specification">;

/**
 * Brings a session to a run's step 0, and anchors its penalty there. Optimizer and loss scale start anew unless the
 * specification carries them on.
 *
 * @throws {UserError} if what the run starts from is missing, damaged or of another model
 */
export async function loadInitialState(run: Starting, session: Session, sources: StartSources): Promise<void> {
  await loadState(run, session, sources);
  await anchorPenalty(run, session, sources.corpora);
}

async function loadState(run: Starting, session: Session, sources: StartSources): Promise<void> {
  const { model, initialWeights } = run.specification;
  switch (initialWeights.kind) {
    case "random":
      return await session.writeState(({ weights }) => initializeWeights(model, initialWeights.seed, weights));
    case "imported":
      return await session.writeState((state) => loadWeights(run, initialWeights, state, sources));
    case "checkpoint": {
      const parent = requireParent(run, initialWeights, sources);
      return await session.writeState(async (state) => {
        const engineState = state.engineState?.slice();
        await parent.load(state);
        if (initialWeights.optimizerState === "carried") return;
        resetOptimizer(state, engineState);
      });
    }
    case "interpolation":
      return await session.writeState(async (state) => {
        const engineState = state.engineState?.slice();
        await loadWeights(run, initialWeights.from, state, sources);
        const from = state.weights.slice();
        await loadWeights(run, { kind: "checkpoint", ...initialWeights.to }, state, sources);
        interpolate(from, state.weights, initialWeights.fraction);
        resetOptimizer(state, engineState);
      });
  }
}

/** Fills a state's weights; what else it has is undefined afterwards. */
async function loadWeights(
  run: Starting,
  start: ImportedStart | (RunCheckpoint & { readonly kind: "checkpoint" }),
  state: TrainingState,
  sources: StartSources,
): Promise<void> {
  if (start.kind === "checkpoint") return await requireParent(run, start, sources).load(state);
  const { model } = run.specification;
  await loadImported(state, { run: run.label, model, weights: start.weights }, sources.imported);
}

function resetOptimizer(state: TrainingState, engineState: Uint8Array<ArrayBuffer> | undefined): void {
  state.firstMoments.fill(0);
  state.secondMoments.fill(0);
  if (engineState !== undefined) state.engineState?.set(engineState);
}

/**
 * Replaces the second of two models by a point on the line between them: a + fraction · (b − a) in doubles, rounded once
 * to f32.
 *
 * @param from a, the whole model
 * @param to b, then the point
 */
export function interpolate(from: Float32Array, to: Float32Array, fraction: number): void {
  for (let i = 0; i < to.length; i++) {
    const a = from[i] ?? 0;
    to[i] = a + fraction * ((to[i] ?? 0) - a);
  }
}

/** Updates that Adam's moments have behind them at a run's step 0, for its bias correction: 0 unless they are carried on. */
export async function priorUpdates(run: Starting, sources: PriorSources): Promise<number> {
  const { initialWeights } = run.specification;
  if (initialWeights.kind !== "checkpoint" || initialWeights.optimizerState !== "carried") return 0;
  return await requireParent(run, initialWeights, sources).updates();
}

function requireParent<T>(
  { label }: Starting,
  { run, step }: RunCheckpoint,
  { parent }: { readonly parent?: (start: RunCheckpoint) => T | undefined },
): T {
  const found = parent?.({ run, step });
  if (found !== undefined) return found;
  throw new Error(`Run "${label}" starts from a run that was not given`);
}
