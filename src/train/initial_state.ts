/** What a run begins with: random weights, those of another run's checkpoint, or those that somebody else trained. */
import type { Session, TrainingState } from "../engine/engine.ts";
import type { PlannedRun } from "../experiment/run.ts";
import { initializeWeights } from "../model/initial_weights.ts";
import { loadImported, type OpenImported } from "./imported_weights.ts";

/** The run that another starts from, after the steps that the other's specification names. */
export interface ParentState {
  /** Fills a state with its weights and with what its optimizer keeps. */
  load(state: TrainingState): Promise<void>;
  /** Updates that it had behind it. */
  updates(): Promise<number>;
}

/** Where a run's start is looked for. */
export interface StartSources {
  /** the run whose checkpoint it starts from, if it does */
  readonly parent?: Pick<ParentState, "load">;
  /** weights that others trained */
  readonly imported?: OpenImported;
}

/** Where what lies behind a run's start is looked for. */
export interface PriorSources {
  /** the run whose checkpoint it starts from, if it does */
  readonly parent?: Pick<ParentState, "updates">;
}

/** A run by what its start follows from. */
type Starting = Pick<PlannedRun, "label" | "specification">;

/**
 * Brings a session to a run's step 0. Optimizer and loss scale start anew unless the specification carries them on.
 *
 * @throws {UserError} if what the run starts from is missing, damaged or of another model
 */
export async function loadInitialState(run: Starting, session: Session, sources: StartSources): Promise<void> {
  const { model, initialWeights } = run.specification;
  switch (initialWeights.kind) {
    case "random":
      return await session.writeState(({ weights }) => initializeWeights(model, initialWeights.seed, weights));
    case "imported":
      return await session.writeState((state) =>
        loadImported(state, { run: run.label, model, weights: initialWeights.weights }, sources.imported)
      );
    case "checkpoint": {
      const parent = requireParent(run, sources);
      return await session.writeState(async (state) => {
        const engineState = state.engineState?.slice();
        await parent.load(state);
        if (initialWeights.optimizerState === "carried") return;
        state.firstMoments.fill(0);
        state.secondMoments.fill(0);
        if (engineState !== undefined) state.engineState?.set(engineState);
      });
    }
  }
}

/** Updates that Adam's moments have behind them at a run's step 0, for its bias correction: 0 unless they are carried on. */
export async function priorUpdates(run: Starting, sources: PriorSources): Promise<number> {
  const { initialWeights } = run.specification;
  if (initialWeights.kind !== "checkpoint" || initialWeights.optimizerState !== "carried") return 0;
  return await requireParent(run, sources).updates();
}

function requireParent<T>({ label }: Starting, { parent }: { readonly parent?: T }): T {
  if (parent !== undefined) return parent;
  throw new Error(`Run "${label}" starts from a run that was not given`);
}
