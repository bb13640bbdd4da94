/**
 * Which runs of an output folder are done. To know it their checkpoints are hashed, terabytes at the paper's scale, and
 * several parts of one command ask: so that each run is looked at once.
 */
import type { PlannedRun, RunKey } from "../experiment/run.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import type { FileSystem } from "../files/file_system.ts";
import { RunFolder, type RunRecord } from "./run_folder.ts";

/** Remembers what it found, for as long as nobody else writes to the folder: within one command, under its lock. */
export class FinishedRuns {
  readonly #found = new Map<RunKey, Promise<RunRecord | undefined>>();

  /** @param output the plan's output folder */
  constructor(private readonly output: string, private readonly files: FileSystem = DENO_FILES) {}

  /**
   * The record of a run that is done, its files as they were left.
   *
   * @throws {UserError} as `RunFolder.finished`
   */
  find(run: PlannedRun): Promise<RunRecord | undefined> {
    const known = this.#found.get(run.key);
    if (known !== undefined) return known;
    const found = new RunFolder(this.output, run.label, this.files).finished(run);
    this.#found.set(run.key, found);
    return found;
  }
}
