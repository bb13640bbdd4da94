/** What a run begins with: random weights, those of another run's checkpoint, or those that somebody else trained. */
import type { Session } from "../engine/engine.ts";
import type { PlannedRun } from "../experiment/run.ts";
import { readChunks } from "../files/read_file.ts";
import { initializeWeights } from "../model/initial_weights.ts";
import { readCheckpoint } from "./checkpoint.ts";
import { loadImported, type OpenImported } from "./imported_weights.ts";
import { readJournal } from "./journal_reader.ts";
import type { RunFolder } from "./run_folder.ts";

/** Where a run's start is looked for. */
export interface StartSources {
  /** the run whose checkpoint it starts from, if it does */
  readonly parent?: { readonly run: PlannedRun; readonly folder: RunFolder };
  /** weights that others trained */
  readonly imported?: OpenImported;
}

/**
 * Brings a session to a run's step 0. Optimizer and loss scale start anew unless the specification carries them on.
 *
 * @throws {UserError} if what the run starts from is missing, damaged or of another model
 */
export async function loadInitialState(run: PlannedRun, session: Session, sources: StartSources): Promise<void> {
  const { model, initialWeights } = run.specification;
  switch (initialWeights.kind) {
    case "random":
      return await session.writeState(({ weights }) => initializeWeights(model, initialWeights.seed, weights));
    case "imported":
      return await session.writeState((state) =>
        loadImported(state, { run: run.label, model, weights: initialWeights.weights }, sources.imported)
      );
    case "checkpoint":
      return await loadParent(run, initialWeights, session, sources);
  }
}

type CheckpointStart = PlannedRun["specification"]["initialWeights"] & { readonly kind: "checkpoint" };

async function loadParent(
  run: PlannedRun,
  { step, optimizerState }: CheckpointStart,
  session: Session,
  sources: StartSources,
): Promise<void> {
  const parent = requireParent(run, sources);
  const record = await parent.folder.readRecord();
  const recorded = record?.states.find((entry) => entry.step === step);
  if (recorded === undefined) throw new Error(`Run "${parent.run.label}" has no record of step ${step}`);
  await session.writeState(async (state) => {
    const engineState = state.engineState?.slice();
    await readCheckpoint(
      parent.folder.checkpoint(step),
      run.specification.model,
      state,
      { run: parent.run.key, step, state: recorded.state },
      parent.folder.files,
    );
    if (optimizerState === "carried") return;
    state.firstMoments.fill(0);
    state.secondMoments.fill(0);
    if (engineState !== undefined) state.engineState?.set(engineState);
  });
}

/** Updates that Adam's moments have behind them at a run's step 0, for its bias correction: 0 unless they are carried on. */
export async function priorUpdates(run: PlannedRun, sources: StartSources): Promise<number> {
  const { initialWeights } = run.specification;
  if (initialWeights.kind !== "checkpoint" || initialWeights.optimizerState !== "carried") return 0;
  const { run: { key, label }, folder } = requireParent(run, sources);
  const { states } = await readJournal(readChunks(folder.journal, folder.files), key);
  const state = states.find(({ step }) => step === initialWeights.step);
  if (state === undefined) throw new Error(`Run "${label}" has no record of step ${initialWeights.step}`);
  return state.steps - state.skipped;
}

function requireParent(run: PlannedRun, { parent }: StartSources): NonNullable<StartSources["parent"]> {
  if (parent !== undefined) return parent;
  throw new Error(`Run "${run.label}" starts from a run that was not given`);
}
