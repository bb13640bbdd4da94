/** What a run leaves in its folder: where each file is, and the record that says the run is done. */
import type { z } from "zod";
import { canonicalJson } from "../../digest/canonical_json.ts";
import { type Digest, sha256 } from "../../digest/sha256.ts";
import { UserError } from "../../errors.ts";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import { writeFileDurably } from "../../files/durable.ts";
import { digestFile } from "../../files/file_digest.ts";
import { fileError } from "../../files/file_error.ts";
import type { FileSystem } from "../../files/file_system.ts";
import { readFileBounded } from "../../files/read_file.ts";
import type { Curves } from "../../results/curves.ts";
import { parseCurves } from "../../results/curves_schema.ts";
import { checkpointName, checkpointStep } from "../checkpoint/checkpoint.ts";
import { formatCurves } from "../journal/journal_curves.ts";
import { type RunRecord, runRecordSchema } from "./run_record.ts";
import { type TrainingNotes, trainingNotesSchema } from "./trained_by.ts";

export type { Outcome, RecordedState, RunRecord } from "./run_record.ts";

/** `run.json` and `curves.json` are not read beyond this size, in bytes. */
export const MAX_RECORD_BYTES = 16 * 2 ** 20;

/** Paths of one run under the output folder. */
export class RunFolder {
  readonly path: string;

  /** @param output the plan's output folder */
  constructor(output: string, readonly label: string, readonly files: FileSystem = DENO_FILES) {
    this.path = `${output}/runs/${label}`;
  }

  get journal(): string {
    return `${this.path}/journal.jsonl`;
  }

  get curves(): string {
    return `${this.path}/curves.json`;
  }

  get record(): string {
    return `${this.path}/run.json`;
  }

  get checkpoints(): string {
    return `${this.path}/checkpoints`;
  }

  /** Who trained the run, and what the checkpoints were when they were written. */
  get notes(): string {
    return `${this.path}/training.json`;
  }

  /** Steps that have a checkpoint file, newest first. */
  async checkpointSteps(): Promise<number[]> {
    try {
      if (!await this.#exists(this.checkpoints)) return [];
      const names = await this.files.readFolder(this.checkpoints);
      return names.flatMap((name) => checkpointStep(name) ?? []).sort((a, b) => b - a);
    } catch (error) {
      throw fileError(error, "read", this.checkpoints);
    }
  }

  async #exists(path: string): Promise<boolean> {
    try {
      return (await this.files.status(path)) !== undefined;
    } catch (error) {
      throw fileError(error, "read", path);
    }
  }

  async #readText(path: string): Promise<string> {
    return new TextDecoder().decode(await readFileBounded(path, MAX_RECORD_BYTES, this.files));
  }

  /** Whether there is a record, whole or not. */
  async hasRecord(): Promise<boolean> {
    return await this.#exists(this.record);
  }

  /** The record of a finished run, or undefined where there is none that is whole. */
  async readRecord(): Promise<RunRecord | undefined> {
    return await this.#readJson(this.record, runRecordSchema);
  }

  /** The notes of a run, or undefined where there are none that are whole: earlier versions left none. */
  async readNotes(): Promise<TrainingNotes | undefined> {
    return await this.#readJson(this.notes, trainingNotesSchema);
  }

  async #readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
    if (!await this.#exists(path)) return undefined;
    try {
      return schema.safeParse(JSON.parse(await this.#readText(path))).data;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  /**
   * The curve of a run that is done.
   *
   * @param expected digest of the file
   * @throws {UserError} `CURVES_CHANGED` if the file has another; as `parseCurves`; if it cannot be read
   */
  async readCurves(expected: Digest): Promise<Curves> {
    const text = await this.readCurvesText();
    if (sha256(text) === expected) return parseCurves(text, this.curves);
    throw new UserError(
      "CURVES_CHANGED",
      `"${this.curves}" is not the curve that training left`,
      "give the same command again",
    );
  }

  /** @throws {UserError} if the file is not there or cannot be read */
  async readCurvesText(): Promise<string> {
    return await this.#readText(this.curves);
  }

  async writeCurves(curves: Curves): Promise<void> {
    await writeFileDurably(this.curves, formatCurves(curves), { files: this.files });
  }

  async writeNotes(notes: TrainingNotes): Promise<void> {
    await writeFileDurably(this.notes, `${canonicalJson(notes)}\n`, { files: this.files });
  }

  async writeRecord(record: RunRecord): Promise<void> {
    await writeFileDurably(this.record, `${canonicalJson(record)}\n`, { files: this.files });
  }

  /** SHA-256 of one of the run's files. */
  async digest(path: string): Promise<Digest> {
    return await digestFile(path, { files: this.files });
  }

  /** Where the checkpoint of a step is. */
  checkpoint(step: number): string {
    return `${this.checkpoints}/${checkpointName(step)}`;
  }

  /** Removes all checkpoints but those of some steps. */
  async keepCheckpoints(steps: readonly number[]): Promise<void> {
    const others = (await this.checkpointSteps()).filter((step) => !steps.includes(step));
    let path = this.checkpoints;
    try {
      for (const step of others) await this.files.remove(path = this.checkpoint(step));
      if (others.length > 0) await this.files.syncFolder(path = this.checkpoints);
    } catch (error) {
      throw fileError(error, "clean up", path);
    }
  }
}
