/**
 * Which runs of an output folder are done. By their records that costs next to nothing; to hold their files against these
 * all checkpoints are hashed, terabytes at the paper's scale, which is done once, before anything is signed.
 */
import type { PlannedRun, RunKey } from "../../experiment/run/run.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import type { FileSystem } from "../../files/file_system.ts";
import { corporaOf, type PlanCorpora, ValidationSets } from "../evaluation/evaluation.ts";
import { checkJournalOf, checkRun, type FoundRun, lookUpRun } from "./found_run.ts";
import type { WrittenHeader } from "../journal/journal_header.ts";
import { headerOf } from "../run_header.ts";
import { RunFolder } from "./run_folder.ts";

/** Looks into one output folder. */
export class FinishedRuns {
  readonly #journals = new Map<RunKey, Promise<FoundRun>>();
  readonly #checked = new Map<RunKey, Promise<FoundRun>>();
  readonly #validations = new ValidationSets();

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
   * What the folder says of a run now, by its record alone.
   *
   * @throws {UserError} as `lookUpRun`
   */
  async find(run: PlannedRun): Promise<FoundRun> {
    return await lookUpRun(run, this.#folder(run));
  }

  /**
   * The same, with journal and curve read; once.
   *
   * @throws {UserError} as `checkJournalOf`
   */
  async checkJournal(run: PlannedRun): Promise<FoundRun> {
    const { key } = run;
    return await remembered(
      this.#journals,
      key,
      async () => checkJournalOf(run, this.#folder(run), await this.#header(run)),
    );
  }

  /**
   * The same, with all of its files read; once.
   *
   * @throws {UserError} as `checkRun`
   */
  async check(run: PlannedRun): Promise<FoundRun> {
    return await remembered(
      this.#checked,
      run.key,
      async () => checkRun(run, this.#folder(run), await this.#header(run)),
    );
  }

  /** Says that a run is trained on: what was found of it no longer holds. */
  forget({ key }: PlannedRun): void {
    this.#journals.delete(key);
    this.#checked.delete(key);
  }

  async #header(run: PlannedRun): Promise<WrittenHeader> {
    return await headerOf(run, corporaOf(this.corpora, run.specification), this.#validations);
  }

  #folder({ label }: PlannedRun): RunFolder {
    return new RunFolder(this.output, label, this.files);
  }
}

function remembered<T>(known: Map<RunKey, Promise<T>>, key: RunKey, find: () => Promise<T>): Promise<T> {
  const found = known.get(key) ?? find();
  known.set(key, found);
  return found;
}
