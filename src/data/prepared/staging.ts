/**
 * All staging files of a corpus while it is prepared. From time to time what they hold is recorded, so that preparing
 * resumes there after an interruption; every file that is kept is checked against its recorded digest first.
 */
import type { Permutation } from "../../arithmetic/permutation.ts";
import type { Digest } from "../../digest/sha256.ts";
import { removeFileSync, removeTree } from "../../files/deno_file_system.ts";
import { listFolder } from "../../files/list_folder.ts";
import type { Split } from "../domain.ts";
import type { OddRows } from "../text/odd_rows.ts";
import { checkFile, type PreparedSplit } from "./manifest.ts";
import { StagedSplit } from "./staged_split.ts";
import {
  type PartProgress,
  PROGRESS_FILE,
  readProgress,
  type StagingProgress,
  writeProgress,
} from "./staging_progress.ts";

const SPLITS = ["train", "validation"] as const;

/** A domain's split: staged, then shuffled. */
interface Part {
  staged?: StagedSplit;
  /** as it was last recorded */
  progress?: PartProgress;
}

/** What is staged and shuffled of a corpus. */
export class Staging {
  readonly #folder: string;
  readonly #digest: Digest;
  readonly #endOfText: number;
  readonly #checkpointBytes: number;
  readonly #domains = new Map<string, Readonly<Record<Split, Part>>>();
  #documents = 0;
  #complete = false;
  #oddRows: OddRows | undefined;
  #bytesSinceCheckpoint = 0;
  /** short corpora are never recorded: preparing them again costs less */
  #isRecorded = false;

  private constructor(folder: string, digest: Digest, endOfText: number, checkpointBytes: number) {
    this.#folder = folder;
    this.#digest = digest;
    this.#endOfText = endOfText;
    this.#checkpointBytes = checkpointBytes;
  }

  /**
   * Goes on with what a folder holds of a corpus, or begins if it holds nothing that is whole. Other files are removed.
   *
   * @param digest of the corpus, as far as it determines the prepared files
   * @param checkpointBytes bytes of text after which the progress is recorded
   */
  static async open(folder: string, digest: Digest, endOfText: number, checkpointBytes: number): Promise<Staging> {
    const progress = await readProgress(folder, digest);
    if (progress !== null) {
      const staging = new Staging(folder, digest, endOfText, checkpointBytes);
      if (await staging.#resume(progress)) return staging;
      staging.close();
    }
    await removeOthers(folder, new Set());
    return new Staging(folder, digest, endOfText, checkpointBytes);
  }

  /** Documents that are staged, from the first of the sources on. */
  get documents(): number {
    return this.#documents;
  }

  /** Whether all documents are staged. */
  get isComplete(): boolean {
    return this.#complete;
  }

  /** Of the sources, once all documents are staged; undefined if there are none. */
  get oddRows(): OddRows | undefined {
    return this.#oddRows;
  }

  /** Names of the domains, in the order in which they first came. */
  get domains(): readonly string[] {
    return [...this.#domains.keys()];
  }

  /** Tokens of all splits, with ends. */
  get tokens(): number {
    let tokens = 0;
    for (const part of this.#parts()) {
      tokens += part.staged?.tokens ?? 0;
      if (part.progress !== undefined && "shuffled" in part.progress) tokens += part.progress.shuffled.tokens;
    }
    return tokens;
  }

  async #resume(progress: StagingProgress): Promise<boolean> {
    const kept = new Set([PROGRESS_FILE]);
    for (const [ordinal, domain] of progress.domains.entries()) {
      const parts = { train: {}, validation: {} };
      this.#domains.set(domain.name, parts);
      for (const split of SPLITS) {
        const part: Part | null = await this.#resumePart(ordinal, split, domain[split], kept);
        if (part === null) return false;
        parts[split] = part;
      }
    }
    this.#documents = progress.documents;
    this.#complete = progress.complete;
    this.#oddRows = progress.oddRows;
    this.#isRecorded = true;
    await removeOthers(this.#folder, kept);
    if (this.#complete) { for (const { staged } of this.#parts()) staged?.finish(); }
    return true;
  }

  /** @param kept takes in the names of the part's files */
  async #resumePart(ordinal: number, split: Split, progress: PartProgress, kept: Set<string>): Promise<Part | null> {
    if ("shuffled" in progress) {
      const { name, bin, idx } = progress.shuffled;
      for (const [file, recorded] of [[`${name}.bin`, bin], [`${name}.idx`, idx]] as const) {
        if (await checkFile(`${this.#folder}/${file}`, recorded, () => {}) !== null) return null;
        kept.add(file);
      }
      return { progress };
    }
    const path = this.#stagingPath(ordinal, split);
    const staged = await StagedSplit.resume(path, this.#endOfText, progress.staged);
    if (staged === null) return null;
    for (const file of staged.paths) kept.add(file.slice(this.#folder.length + 1));
    return { staged, progress };
  }

  #stagingPath(ordinal: number, split: Split): string {
    return `${this.#folder}/staging-${ordinal}-${split}`;
  }

  *#parts(): Generator<Part, void> {
    for (const { train, validation } of this.#domains.values()) yield* [train, validation];
  }

  /** Takes in the next document. */
  async add(domain: string, split: Split, tokens: Uint16Array, textBytes: number): Promise<void> {
    const { staged } = (this.#domains.get(domain) ?? this.#newDomain(domain))[split];
    if (staged === undefined) throw new Error(`Domain "${domain}" is finished`);
    staged.add(tokens, textBytes);
    this.#documents++;
    this.#bytesSinceCheckpoint += textBytes;
    if (this.#bytesSinceCheckpoint >= this.#checkpointBytes) await this.#checkpoint();
  }

  #newDomain(domain: string): Readonly<Record<Split, Part>> {
    const ordinal = this.#domains.size;
    const create = (split: Split) => ({
      staged: StagedSplit.create(this.#stagingPath(ordinal, split), this.#endOfText),
    });
    const parts = { train: create("train"), validation: create("validation") };
    this.#domains.set(domain, parts);
    return parts;
  }

  async #checkpoint(): Promise<void> {
    for (const part of this.#parts()) if (part.staged !== undefined) part.progress = { staged: part.staged.record() };
    this.#bytesSinceCheckpoint = 0;
    this.#isRecorded = true;
    await this.#writeProgress();
  }

  async #writeProgress(): Promise<void> {
    const recorded = ({ progress }: Part): PartProgress => {
      if (progress === undefined) throw new Error("A split was not recorded");
      return progress;
    };
    await writeProgress(this.#folder, {
      digest: this.#digest,
      documents: this.#documents,
      complete: this.#complete,
      domains: [...this.#domains].map(([name, { train, validation }]) => ({
        name,
        train: recorded(train),
        validation: recorded(validation),
      })),
      oddRows: this.#oddRows,
    });
  }

  /** All documents have been taken in, from sources with so many odd rows. */
  async finish(oddRows: OddRows | undefined): Promise<void> {
    this.#complete = true;
    this.#oddRows = oddRows;
    if (this.#isRecorded) await this.#checkpoint();
    for (const { staged } of this.#parts()) staged?.finish();
  }

  /**
   * Brings a split's documents into their last order, as `name.bin` and `name.idx`, and removes its staging files.
   *
   * @param orderOf the order of so many documents
   * @param onBytes told of the bytes that are written, or that were written before an interruption
   */
  async shuffle(
    domain: string,
    split: Split,
    name: string,
    orderOf: (documents: number) => Permutation | null,
    onBytes: (bytes: number) => void,
  ): Promise<PreparedSplit> {
    const part = this.#domains.get(domain)?.[split];
    if (part?.progress !== undefined && "shuffled" in part.progress) {
      onBytes(part.progress.shuffled.bin.bytes);
      return part.progress.shuffled;
    }
    const staged = part?.staged;
    if (part === undefined || staged === undefined) throw new Error(`Domain "${domain}" is not staged`);
    const shuffled = staged.shuffle(this.#folder, name, orderOf(staged.documents), onBytes);
    if (this.#isRecorded) {
      part.progress = { shuffled };
      await this.#writeProgress();
    }
    delete part.staged;
    for (const path of staged.paths) removeFileSync(path);
    return shuffled;
  }

  /** Removes the record of the progress, when the prepared corpus is whole. */
  removeProgress(): void {
    if (this.#isRecorded) removeFileSync(`${this.#folder}/${PROGRESS_FILE}`);
  }

  /** Closes all files as they are. */
  close(): void {
    for (const { staged } of this.#parts()) staged?.close();
  }
}

async function removeOthers(folder: string, kept: ReadonlySet<string>): Promise<void> {
  for (const name of await listFolder(folder)) {
    if (!kept.has(name)) await removeTree(`${folder}/${name}`);
  }
}
