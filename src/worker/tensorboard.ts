/** Journals as TensorBoard's event files: a folder a run, `tensorboard/LABEL/`, in the output folder. */
import type { Plan } from "../experiment/plan/plan.ts";
import type { PlannedRun } from "../experiment/run/run.ts";
import { writeFileDurably } from "../files/durable.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import type { FileSystem } from "../files/file_system.ts";
import { readChunks } from "../files/read_file.ts";
import { eventFile, type ScalarEvent } from "../formats/tensorboard/event_file.ts";
import { RunFolder } from "../train/folder/run_folder.ts";
import { readJournal } from "../train/journal/journal_reader.ts";
import { fromBits, fromBits64, type JournalRecord } from "../train/journal/journal_record.ts";

/** Folder of all event files. */
export const TENSORBOARD_FOLDER = "tensorboard";

/** TensorBoard takes files whose names have `tfevents` in them. */
const EVENT_FILE = "events.out.tfevents.0.rewarm";

/** Writes what is new in the journals of a plan; keep it to write only what has grown since. */
export class TensorboardWriter {
  readonly #plan: Plan;
  readonly #output: string;
  readonly #files: FileSystem;
  /** bytes of each run's journal when it was last read, by label */
  readonly #read = new Map<string, number>();

  constructor(plan: Plan, output: string, files: FileSystem = DENO_FILES) {
    this.#plan = plan;
    this.#output = output;
    this.#files = files;
  }

  /**
   * Writes the event files of runs whose journals have grown. A journal that is being written ends where its last whole
   * record does.
   *
   * @returns labels of the runs that were written, in the order of the plan
   */
  async write(): Promise<string[]> {
    const labels: string[] = [];
    for (const run of this.#plan.runs) if (await this.#writeRun(run)) labels.push(run.label);
    return labels;
  }

  async #writeRun(run: PlannedRun): Promise<boolean> {
    const path = new RunFolder(this.#output, run.label, this.#files).journal;
    const size = (await this.#files.status(path))?.bytes;
    if (size === undefined || size === this.#read.get(run.label)) return false;
    const events: ScalarEvent[] = [];
    await readJournal(readChunks(path, this.#files), run.key, (record) => {
      events.push(...eventsOf(record));
      return undefined;
    });
    this.#read.set(run.label, size);
    if (events.length === 0) return false;
    const file = `${this.#output}/${TENSORBOARD_FOLDER}/${run.label}/${EVENT_FILE}`;
    await writeFileDurably(file, eventFile(events), { files: this.#files });
    return true;
  }
}

/** The charts that a record adds to: losses in nats a token, steps as optimizer steps done. */
function eventsOf(record: JournalRecord): ScalarEvent[] {
  switch (record.kind) {
    case "step": {
      const step = record.step + 1;
      return [
        { step, tag: "train/loss", value: fromBits(record.loss) },
        { step, tag: "train/gradient norm", value: fromBits(record.gradientNorm) },
        { step, tag: "train/learning rate", value: fromBits(record.lr) },
      ];
    }
    case "skip":
      return [{ step: record.step + 1, tag: "train/skipped", value: 1 }];
    case "evaluation":
      return [
        { step: record.step, tag: "validation/upstream", value: fromBits64(record.upstream) },
        { step: record.step, tag: "validation/downstream", value: fromBits64(record.downstream) },
      ].filter(({ value }) => !Number.isNaN(value));
    case "state":
    case "divergence":
      return [];
  }
}
