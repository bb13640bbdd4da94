/** Writing a run's journal: records are buffered, flushed on demand, and cut back where a run is resumed. */
import type { Digest } from "../../digest/sha256.ts";
import { UserError } from "../../errors.ts";
import type { RunKey } from "../../experiment/run/run.ts";
import { AppendFile } from "../../files/append_file.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import { fileError } from "../../files/file_error.ts";
import type { FileSystem } from "../../files/file_system.ts";
import { readChunks } from "../../files/read_file.ts";
import type { DueRecords } from "./due_records.ts";
import { curvePoint } from "./journal_curves.ts";
import { chainStart, formatHeader, type JournalHeader, type WrittenHeader } from "./journal_header.ts";
import {
  type HeaderVisitor,
  type JournalPosition,
  type JournalReading,
  readJournal,
  type RecordVisitor,
} from "./journal_reader.ts";
import { chainNext, type EvaluationRecord, formatRecord, fromBits, type JournalRecord } from "./journal_record.ts";

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
  /** evaluations recorded up to the step resumed from, ascending */
  readonly evaluations: readonly EvaluationRecord[];
}

/** What a journal that is resumed is checked against. */
export interface ResumeOptions {
  readonly files?: FileSystem;
  /** what the run's specification makes due; where a record is not so, the journal is no longer whole */
  readonly due?: DueRecords;
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
  /** records since the last step */
  #here: JournalRecord[];

  private constructor(private readonly file: AppendFile, position: JournalPosition, here: readonly JournalRecord[]) {
    this.#steps = position.steps;
    this.#chain = position.chain;
    this.#here = [...here];
  }

  /** Starts a journal; what the file held before is gone. */
  static async create(path: string, header: WrittenHeader, files: FileSystem = DENO_FILES): Promise<JournalWriter> {
    const file = await AppendFile.open(path, files);
    try {
      await file.truncate(0);
      await file.append(encoder.encode(`${formatHeader(header)}\n`));
      return new JournalWriter(file, { steps: 0, skipped: 0, chain: chainStart(header), bytes: file.size }, []);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /**
   * Opens a journal to resume after `step` optimizer steps: everything later is cut away, a torn last line included.
   *
   * @throws {UserError} `JOURNAL_TOO_SHORT` if the journal is not whole up to that step; `JOURNAL_OF_EARLIER_VERSION`;
   * `OTHER_JOURNAL` if its header is another. The file is then left as it is
   */
  static async resume(
    path: string,
    header: WrittenHeader,
    step: number,
    { files = DENO_FILES, due }: ResumeOptions = {},
  ): Promise<{ readonly writer: JournalWriter; readonly resumption: JournalResumption }> {
    let keep: JournalPosition | undefined;
    const states: { step: number; state: Digest }[] = [];
    const evaluations: EvaluationRecord[] = [];
    let here: JournalRecord[] = [];
    const reading = await readJournalFile(path, header.run, files, (record, position) => {
      if (position.steps > step || record.kind === "divergence") return undefined;
      const flaw = due?.visit(record);
      if (flaw !== undefined) return flaw;
      if (position.steps === step) keep = position;
      if (record.kind === "state") states.push({ step: record.step, state: record.state });
      if (record.kind === "evaluation") evaluations.push(record);
      here = record.kind === "step" || record.kind === "skip" ? [] : [...here, record];
      return undefined;
    }, (found, position) => {
      requireHeader(path, found, header);
      const flaw = due?.begin(found);
      if (flaw !== undefined) return flaw;
      if (step === 0) keep = position;
      return undefined;
    });
    const problem = reading.problem === undefined
      ? undefined
      : `line ${reading.problem.line}: ${reading.problem.reason}`;
    const missing = keep === undefined ? problem : due?.end(step);
    if (keep === undefined || missing !== undefined) {
      throw new UserError(
        "JOURNAL_TOO_SHORT",
        `The journal "${path}" is whole up to step ${reading.steps}, and step ${step} is needed${
          missing === undefined ? "" : ` (${missing})`
        }`,
        "resume from an earlier checkpoint, or remove the run's folder to train it again",
      );
    }
    const file = await AppendFile.open(path, files);
    try {
      const cutBytes = file.size - keep.bytes;
      if (cutBytes > 0) await file.truncate(keep.bytes);
      const state = states.at(-1)?.step === step ? states.at(-1)?.state : undefined;
      const resumption = {
        cutBytes,
        skipped: keep.skipped,
        states,
        evaluations,
        problem,
        state,
      };
      return { writer: new JournalWriter(file, keep, here), resumption };
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

  /**
   * Appends a record. A state or an evaluation that is recorded already, as after a resumption, is not recorded twice.
   *
   * @throws {RangeError} if it is not the next record; if a value of a step or an evaluation is not finite, or that of a
   * divergence is; if another state or evaluation is recorded at this step
   */
  append(record: JournalRecord): void {
    requireValues(record);
    if (this.#isRecorded(record)) return;
    const previous = this.#here.at(-1)?.kind;
    if (previous === "divergence") throw new RangeError("The journal has ended with a divergence");
    if (record.step !== this.#steps) throw new RangeError(`Step ${this.#steps} is due, not ${record.step}`);
    if (record.kind === "state" && previous === "evaluation") {
      throw new RangeError(`The state of step ${record.step} comes before its evaluation`);
    }
    this.#chain = chainNext(this.#chain, record);
    this.#pending.push(`${formatRecord(record, this.#chain)}\n`);
    if (record.kind === "step" || record.kind === "skip") {
      this.#here = [];
      this.#steps++;
    } else this.#here = [...this.#here, record];
  }

  #isRecorded(record: JournalRecord): boolean {
    if (record.kind !== "state" && record.kind !== "evaluation") return false;
    const known = this.#here.find(({ kind, step }) => kind === record.kind && step === record.step);
    if (known === undefined) return false;
    const [before, now] = [known, record].map((record) => formatRecord(record, this.#chain));
    if (before !== now) throw new RangeError(`Step ${record.step} has two ${record.kind}s, ${before}, ${now}`);
    return true;
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

/** Values that are not finite are a divergence, and a divergence has no other. */
function requireValues(record: JournalRecord): void {
  switch (record.kind) {
    case "step": {
      const values = [record.lr, record.loss, record.gradientNorm].map(fromBits);
      if (values.every(Number.isFinite)) return;
      throw new RangeError(`Step ${record.step} has a value that is not finite: ${values}`);
    }
    case "evaluation": {
      const { step, learningRate, upstream, downstream, domains, sampledDocuments, documents } = curvePoint(record);
      const means = [...domains?.upstream ?? [], ...domains?.downstream ?? []].filter((mean) => mean !== null);
      const sums = [
        ...[...documents?.upstream ?? [], ...documents?.downstream ?? []].map(({ loss }) => loss),
        ...sampledDocuments?.upstream ?? [],
        ...sampledDocuments?.downstream ?? [],
      ];
      if ([learningRate, upstream, downstream, ...means, ...sums].every(Number.isFinite)) return;
      throw new RangeError(`The evaluation at step ${step} has a value that is not finite: ${upstream}, ${downstream}`);
    }
    case "divergence": {
      const value = fromBits(record.value);
      if (!Number.isFinite(value)) return;
      throw new RangeError(`Step ${record.step} has not diverged: ${record.divergence} is ${value}`);
    }
  }
}

/** What is thrown for a journal that this version reads, and does not write. */
export function earlierVersion(path: string, version: number, written: number): UserError {
  return new UserError(
    "JOURNAL_OF_EARLIER_VERSION",
    `The journal "${path}" has version ${version} of the format, which does not record evaluations, and version ` +
      `${written} is written`,
    "finish the reproduction with the version of rewarm that began it, or choose another folder with --out DIR",
  );
}

/**
 * Refuses a journal that cannot be resumed under this header.
 *
 * @throws {UserError} `JOURNAL_OF_EARLIER_VERSION`, `OTHER_JOURNAL`
 */
export function requireHeader(path: string, found: JournalHeader, expected: WrittenHeader): void {
  if (found.version === 1) throw earlierVersion(path, found.version, expected.version);
  if (formatHeader(found) === formatHeader(expected)) return;
  throw new UserError(
    "OTHER_JOURNAL",
    `The journal "${path}" was begun with other validation text: its header is ${formatHeader(found)}, expected ` +
      formatHeader(expected),
    "remove the run's folder to train it again",
  );
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
  visitHeader?: HeaderVisitor,
): Promise<JournalReading> {
  let exists: boolean;
  try {
    exists = (await files.status(path)) !== undefined;
  } catch (error) {
    throw fileError(error, "read", path);
  }
  return await readJournal(exists ? readChunks(path, files) : nothing(), run, visit, visitHeader);
}

async function* nothing(): AsyncGenerator<Uint8Array, void> {}
