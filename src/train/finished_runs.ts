/**
 * Which runs of an output folder are done. To know it their checkpoints are hashed, terabytes at the paper's scale, and
 * several parts of one command ask: so that each run is looked at once.
 */
import type { PlannedRun, RunKey } from "../experiment/run.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import type { FileSystem } from "../files/file_system.ts";
import { bytesPerTokenOf, corporaOf, type PlanCorpora } from "./evaluation.ts";
import { findRun, type FoundRun } from "./found_run.ts";
import { RunFolder } from "./run_folder.ts";

/** Remembers what it found, for as long as nobody else writes to the folder: within one command, under its lock. */
export class FinishedRuns {
  readonly #found = new Map<RunKey, Promise<FoundRun>>();

  /**
   * @param output the plan's output folder
   * @param corpora those that the plan was made with
   */
  constructor(
    private readonly output: string,
    private readonly corpora: PlanCorpora,
    private readonly files: FileSystem = DENO_FILES,
  ) {}

  /**
   * What the folder holds of a run.
   *
   * @throws {UserError} as `findRun`
   */
  find(run: PlannedRun): Promise<FoundRun> {
    const known = this.#found.get(run.key);
    if (known !== undefined) return known;
    const bytesPerToken = bytesPerTokenOf(corporaOf(this.corpora, run.specification));
    const found = findRun(run, new RunFolder(this.output, run.label, this.files), bytesPerToken);
    this.#found.set(run.key, found);
    return found;
  }
}
