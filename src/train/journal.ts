/** Writing a run's journal: records are buffered, flushed on demand, and cut back where a run is resumed. */
import type { Digest } from "../digest/sha256.ts";
import { UserError } from "../errors.ts";
import type { RunKey } from "../experiment/run.ts";
import { AppendFile } from "../files/append_file.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import { fileError } from "../files/file_error.ts";
import type { FileSystem } from "../files/file_system.ts";
import { readChunks } from "../files/read_file.ts";
import { type JournalPosition, type JournalReading, readJournal, type RecordVisitor } from "./journal_reader.ts";
import {
  chainNext,
  chainStart,
  type DivergenceRecord,
  formatHeader,
  formatRecord,
  type JournalRecord,
  toBits,
} from "./journal_record.ts";

/** What resuming did to a journal. */
export interface JournalResumption {
  /** bytes that were cut away */
  readonly cutBytes: number;
  /** what was wrong with the journal beyond the kept part, to be told to the user */
  readonly problem?: string;
  /** state digest recorded at the step resumed from; the checkpoint loaded must have it */
  readonly state?: Digest;
  /** steps before the one resumed from that were skipped */
  readonly skipped: number;
  /** states recorded up to the step resumed from, ascending */
  readonly states: readonly { readonly step: number; readonly state: Digest }[];
}

/** A step as training knows it; numbers are rounded to f32. */
export interface StepOutcome {
  readonly step: number;
  readonly learningRate: number;
  readonly loss: number;
  readonly gradientNorm: number;
  readonly batch: Digest;
}

const encoder = new TextEncoder();

/**
 * The journal of one run, open for appending. Records wait in memory until {@linkcode JournalWriter.flush}; they are
 * safe from a crash after {@linkcode JournalWriter.sync}. Call `sync` before a checkpoint is written, so that a
 * checkpoint never knows more than the journal.
 */
export class JournalWriter {
  #pending: string[] = [];
  #steps: number;
  #chain: Digest;
  #last: JournalRecord | undefined;

  private constructor(private readonly file: AppendFile, position: JournalPosition, state: Digest | undefined) {
    this.#steps = position.steps;
    this.#chain = position.chain;
    this.#last = state === undefined ? undefined : { kind: "state", step: position.steps, state };
  }

  /** Starts a journal; what the file held before is gone. */
  static async create(path: string, run: RunKey, files: FileSystem = DENO_FILES): Promise<JournalWriter> {
    const file = await AppendFile.open(path, files);
    try {
      await file.truncate(0);
      await file.append(encoder.encode(`${formatHeader(run)}\n`));
      return new JournalWriter(file, { steps: 0, skipped: 0, chain: chainStart(run), bytes: file.size }, undefined);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /**
   * Opens a journal to go on after `step` optimizer steps: everything later is cut away, a torn last line included.
   *
   * @throws {UserError} `JOURNAL_TOO_SHORT` if the journal is not whole up to that step; the file is left as it is
   */
  static async resume(
    path: string,
    run: RunKey,
    step: number,
    files: FileSystem = DENO_FILES,
  ): Promise<{ readonly writer: JournalWriter; readonly resumption: JournalResumption }> {
    let keep: JournalPosition | undefined;
    let state: Digest | undefined;
    const states: { step: number; state: Digest }[] = [];
    const reading = await readJournalFile(path, run, files, (record, position) => {
      if (position.steps > step || record.kind === "divergence") return undefined;
      if (position.steps === step) keep = position;
      if (record.kind === "state") {
        states.push({ step: record.step, state: record.state });
        if (record.step === step) state = record.state;
      }
      return undefined;
    });
    if (step === 0 && keep === undefined && reading.bytes > 0) {
      keep = { steps: 0, skipped: 0, chain: chainStart(run), bytes: encoder.encode(formatHeader(run)).length + 1 };
    }
    const problem = reading.problem;
    if (keep === undefined) {
      throw new UserError(
        "JOURNAL_TOO_SHORT",
        `The journal "${path}" is whole up to step ${reading.steps}, and step ${step} is needed${
          problem === undefined ? "" : ` (line ${problem.line}: ${problem.reason})`
        }`,
        "go on from an earlier checkpoint, or remove the run's folder to train it again",
      );
    }
    const file = await AppendFile.open(path, files);
    try {
      const cutBytes = file.size - keep.bytes;
      if (cutBytes > 0) await file.truncate(keep.bytes);
      const resumption = {
        cutBytes,
        skipped: keep.skipped,
        states,
        ...(problem === undefined ? {} : { problem: `line ${problem.line}: ${problem.reason}` }),
        ...(state === undefined ? {} : { state }),
      };
      return { writer: new JournalWriter(file, keep, state), resumption };
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Optimizer steps recorded; the number of the next step. */
  get steps(): number {
    return this.#steps;
  }

  /** Chain digest of the last record: the journal's root when the run is done. */
  get chain(): Digest {
    return this.#chain;
  }

  /** @throws {RangeError} if the step is not the next one, or a value is not finite: that is a divergence */
  appendStep(outcome: StepOutcome): void {
    const { step, batch } = outcome;
    const values = [outcome.learningRate, outcome.loss, outcome.gradientNorm].map(Math.fround);
    if (!values.every(Number.isFinite)) throw new RangeError(`Step ${step} has a value that is not finite: ${values}`);
    const [lr = "", loss = "", gradientNorm = ""] = values.map(toBits);
    this.#append({ kind: "step", step, lr, loss, gradientNorm, batch });
    this.#steps++;
  }

  /** Records a step whose gradients overflowed and that changed nothing. */
  appendSkip(step: number, loss: number, batch: Digest): void {
    this.#append({ kind: "skip", step, skipped: "gradient", loss: toBits(loss), batch });
    this.#steps++;
  }

  /**
   * Records the state after `step` optimizer steps; recorded already, as after a resumption, it is not recorded twice.
   *
   * @throws {RangeError} if the state recorded at this step is another one
   */
  appendState(step: number, state: Digest): void {
    if (this.#last?.kind === "state" && this.#last.step === step) {
      if (this.#last.state !== state) {
        throw new RangeError(`Step ${step} has two states, ${this.#last.state}, ${state}`);
      }
      return;
    }
    this.#append({ kind: "state", step, state });
  }

  /** Records that a value was no longer finite; the last record of the run. */
  appendDivergence(step: number, divergence: DivergenceRecord["divergence"], value: number, batch: Digest): void {
    const rounded = Math.fround(value);
    if (Number.isFinite(rounded)) throw new RangeError(`Step ${step} has not diverged: ${divergence} is ${value}`);
    this.#append({ kind: "divergence", step, divergence, value: toBits(rounded), batch });
  }

  #append(record: JournalRecord): void {
    if (this.#last?.kind === "divergence") throw new RangeError("The journal has ended with a divergence");
    if (record.step !== this.#steps) throw new RangeError(`Step ${this.#steps} is due, not ${record.step}`);
    this.#chain = chainNext(this.#chain, record);
    this.#last = record;
    this.#pending.push(`${formatRecord(record, this.#chain)}\n`);
  }

  /** Hands the buffered records to the operating system. */
  async flush(): Promise<void> {
    if (this.#pending.length === 0) return;
    const pending = this.#pending;
    this.#pending = [];
    try {
      await this.file.append(encoder.encode(pending.join("")));
    } catch (error) {
      this.#pending = [...pending, ...this.#pending];
      throw error;
    }
  }

  /** Returns when all records are on the disk. */
  async sync(): Promise<void> {
    await this.flush();
    await this.file.sync();
  }

  /** Closes the file; records that were not flushed are lost. */
  close(): void {
    this.file.close();
  }
}

/**
 * Reads a journal from a file; one that is missing reads as empty.
 *
 * @throws {UserError} if the file cannot be read
 */
export async function readJournalFile(
  path: string,
  run: RunKey,
  files: FileSystem = DENO_FILES,
  visit?: RecordVisitor,
): Promise<JournalReading> {
  let exists: boolean;
  try {
    exists = (await files.status(path)) !== undefined;
  } catch (error) {
    throw fileError(error, "read", path);
  }
  return await readJournal(exists ? readChunks(path, files) : nothing(), run, visit);
}

async function* nothing(): AsyncGenerator<Uint8Array, void> {}
