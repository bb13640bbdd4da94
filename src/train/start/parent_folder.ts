/** The run that another starts from, as it lies in the output folder. */
import type { TrainingState } from "../../engine/engine.ts";
import type { PlannedRun } from "../../experiment/run/run.ts";
import { hasCode } from "../../errors.ts";
import { readChunks } from "../../files/read_file.ts";
import { readCheckpoint } from "../checkpoint/checkpoint.ts";
import { FLAWS } from "../folder/found_run.ts";
import type { ParentState } from "./initial_state.ts";
import { readJournal } from "../journal/journal_reader.ts";
import type { RunFolder } from "../folder/run_folder.ts";

/** Thrown where the run that another starts from is not what its record says. It can be trained again. */
export class ParentFlaw extends Error {
  /** for programs that cannot use `instanceof` */
  override readonly name = "ParentFlaw";

  /** @param flaw in what the folder contradicts itself */
  constructor(readonly label: string, readonly flaw: string, options?: ErrorOptions) {
    super(`Run "${label}" cannot be started from: ${flaw}`, options);
  }
}

/** The state of a run after a number of steps, from its checkpoint and its journal. */
export function parentInFolder(
  { key, label, specification }: PlannedRun,
  folder: RunFolder,
  step: number,
): ParentState {
  return {
    async load(state: TrainingState): Promise<void> {
      const record = await folder.readRecord();
      const recorded = record?.states.find((entry) => entry.step === step);
      if (recorded === undefined) throw new Error(`Run "${label}" has no record of step ${step}`);
      const expected = { run: key, step, state: recorded.state };
      try {
        await readCheckpoint(folder.checkpoint(step), specification.model, state, expected, folder.files);
      } catch (error) {
        throw hasCode(error, ...FLAWS) ? new ParentFlaw(label, error.message, { cause: error }) : error;
      }
    },
    async updates(): Promise<number> {
      const { states } = await readJournal(readChunks(folder.journal, folder.files), key);
      const state = states.find((entry) => entry.step === step);
      if (state === undefined) throw new Error(`Run "${label}" has no record of step ${step}`);
      return state.steps - state.skipped;
    },
  };
}
