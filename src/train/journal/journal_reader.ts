/** Reading a journal as a stream and recomputing its hash chain. Web-standard APIs only. */
import { type Digest, shortDigest } from "../../digest/sha256.ts";
import type { RunKey } from "../../experiment/run/run.ts";
import { chainStart, type JournalHeader, parseHeader } from "./journal_header.ts";
import {
  chainNext,
  type DivergenceRecord,
  type EvaluationRecord,
  type JournalRecord,
  MAX_LINE_BYTES,
  MAX_LONG_LINE_BYTES,
  parseRecord,
} from "./journal_record.ts";

/** Where a journal stops being good, and why. */
export interface JournalProblem {
  /** number of the line, from 1; the header is line 1 */
  readonly line: number;
  readonly reason: string;
  /** the file ends within the line: what a crash leaves, and no sign of tampering */
  readonly torn: boolean;
}

/** A place in a journal up to which it is whole. */
export interface JournalPosition {
  /** optimizer steps recorded, those that were skipped included */
  readonly steps: number;
  /** those of them that were skipped */
  readonly skipped: number;
  /** chain digest of the last record, or the start of the chain */
  readonly chain: Digest;
  /** bytes up to here, line feed included */
  readonly bytes: number;
}

/** What a journal says, up to its first problem. */
export interface JournalReading extends JournalPosition {
  /** `undefined` if the first line is not the header of the run's journal */
  readonly header?: JournalHeader;
  /** checkpoints, ascending by step, with the position after each */
  readonly states: readonly (JournalPosition & { readonly step: number; readonly state: Digest })[];
  /** ascending by step; none in version 1 of the format */
  readonly evaluations: readonly EvaluationRecord[];
  readonly divergence?: DivergenceRecord;
  /** `undefined` if the journal is good to its last byte */
  readonly problem?: JournalProblem;
}

/** Sees every good record in order, with the position after it; a returned string is a problem, and reading stops. */
export type RecordVisitor = (record: JournalRecord, position: JournalPosition) => string | void;

/** Sees the header, with the position after it, before any record; a returned string is a problem, and reading stops. */
export type HeaderVisitor = (header: JournalHeader, position: JournalPosition) => string | void;

/**
 * Reads a journal and recomputes every chain digest. Stops at the first record that is torn, malformed, out of order
 * or off the chain, and says why; holds one line at a time.
 *
 * @param chunks the bytes of the journal
 * @param run the run it must belong to
 */
export async function readJournal(
  chunks: AsyncIterable<Uint8Array>,
  run: RunKey,
  visit: RecordVisitor = () => undefined,
  visitHeader: HeaderVisitor = () => undefined,
): Promise<JournalReading> {
  const reader = new Reader(run, visit, visitHeader);
  let problem: JournalProblem | undefined;
  for await (const next of lines(chunks, () => reader.maxLineBytes)) {
    const flaw = "line" in next ? reader.take(next.line, next.bytes) : next.flaw;
    if (flaw === undefined) continue;
    problem = { line: reader.line, reason: flaw, torn: "torn" in next && next.torn };
    break;
  }
  if (problem === undefined && reader.line === 1) problem = { line: 1, reason: "the journal is empty", torn: true };
  return reader.reading(problem);
}

class Reader {
  line = 1;
  #header: JournalHeader | undefined;
  #position: JournalPosition;
  #previous: JournalRecord | undefined;
  #states: (JournalPosition & { step: number; state: Digest })[] = [];
  #evaluations: EvaluationRecord[] = [];

  constructor(
    private readonly run: RunKey,
    private readonly visit: RecordVisitor,
    private readonly visitHeader: HeaderVisitor,
  ) {
    this.#position = { steps: 0, skipped: 0, chain: chainStart({ version: 1, run }), bytes: 0 };
  }

  /** How long the next line may be: a header of version 3 names documents, and after one evaluations have their losses. */
  get maxLineBytes(): number {
    return this.line === 1 || this.#header?.version === 3 ? MAX_LONG_LINE_BYTES : MAX_LINE_BYTES;
  }

  /** Takes the next line; a string says what is wrong with it. */
  take(line: string, bytes: number): string | undefined {
    const reason = this.line === 1 ? this.#takeHeader(line, bytes) : this.#takeRecord(line, bytes);
    if (reason === undefined) this.line++;
    return reason;
  }

  #takeHeader(line: string, bytes: number): string | undefined {
    const header = parseHeader(line, this.run);
    if (header === undefined) {
      return `the header is not that of a journal, version 1, 2 or 3, of run ${shortDigest(this.run)}`;
    }
    const position = { ...this.#position, chain: chainStart(header), bytes };
    const objection = this.visitHeader(header, position);
    if (typeof objection === "string") return objection;
    this.#header = header;
    this.#position = position;
    return undefined;
  }

  #takeRecord(line: string, bytes: number): string | undefined {
    const parsed = parseRecord(line);
    if (typeof parsed === "string") return parsed;
    const { record, chain } = parsed;
    const misplaced = this.#misplaced(record);
    if (misplaced !== undefined) return misplaced;
    if (chainNext(this.#position.chain, record) !== chain) {
      return `its chain digest ${shortDigest(chain)} does not follow from its contents and the records before it`;
    }
    const { steps, skipped } = this.#position;
    const position = {
      steps: record.kind === "step" || record.kind === "skip" ? steps + 1 : steps,
      skipped: record.kind === "skip" ? skipped + 1 : skipped,
      chain,
      bytes: this.#position.bytes + bytes,
    };
    const objection = this.visit(record, position);
    if (typeof objection === "string") return objection;
    this.#position = position;
    this.#previous = record;
    if (record.kind === "state") this.#states.push({ ...position, step: record.step, state: record.state });
    if (record.kind === "evaluation") this.#evaluations.push(record);
    return undefined;
  }

  /** Why a record may not stand here: between two steps a state comes first, then an evaluation, each at most once. */
  #misplaced(record: JournalRecord): string | undefined {
    const { kind, step } = record;
    const previous = this.#previous;
    if (previous?.kind === "divergence") return "it follows the divergence that ended the run";
    const { steps } = this.#position;
    if (step !== steps) return `it is for step ${step}, and step ${steps} is expected`;
    const version = this.#header?.version ?? 1;
    if (kind === "evaluation" && version === 1) return "it is an evaluation, which version 1 does not have";
    if (record.kind === "evaluation" && (record.domains !== undefined) !== (version === 3)) {
      return `it has ${version === 3 ? "no " : ""}losses by domain, and the journal has version ${version}`;
    }
    if (kind !== "state" && kind !== "evaluation") return undefined;
    if (previous?.kind === kind) return `it repeats the ${kind} of its step`;
    return kind === "state" && previous?.kind === "evaluation" ? "it follows the evaluation of its step" : undefined;
  }

  reading(problem: JournalProblem | undefined): JournalReading {
    return {
      ...this.#position,
      header: this.#header,
      states: this.#states,
      evaluations: this.#evaluations,
      divergence: this.#previous?.kind === "divergence" ? this.#previous : undefined,
      problem,
    };
  }
}

type Line =
  | { readonly line: string; /** line feed included */ readonly bytes: number }
  | { readonly flaw: string; readonly torn: boolean };

/** Cuts a stream of bytes at line feeds; never holds more than a line and a chunk. */
async function* lines(chunks: AsyncIterable<Uint8Array>, most: () => number): AsyncGenerator<Line, void> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const bad = (flaw: string, torn = false): Line => ({ flaw, torn });
  let rest = new Uint8Array(0);
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const whole = joined(rest, chunk.subarray(start, end));
      rest = new Uint8Array(0);
      start = end + 1;
      if (whole.length > most()) return yield bad(`it is longer than ${most()} bytes`);
      let line: string;
      try {
        line = decoder.decode(whole);
      } catch {
        return yield bad("it is not UTF-8");
      }
      yield { line, bytes: whole.length + 1 };
    }
    rest = joined(rest, chunk.subarray(start));
    if (rest.length > most()) return yield bad(`it is longer than ${most()} bytes`);
  }
  if (rest.length > 0) yield bad(`it is torn: the file ends after ${rest.length} bytes of it`, true);
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
