/** One split of a prepared domain as windows of tokens. */
import { IndexedDataset } from "../../formats/megatron/dataset.ts";
import { windowsIn } from "../windows.ts";
import type { PreparedSplit } from "./manifest.ts";

/** A split's tokens, cut into windows. Close it. */
export class WindowStream {
  readonly #dataset: IndexedDataset;
  readonly #sequenceLength: number;
  readonly count: number;

  /** @param tokens of its front that are used */
  constructor(folder: string, split: PreparedSplit, tokens: number, sequenceLength: number) {
    this.#dataset = IndexedDataset.open(`${folder}/${split.name}`);
    this.#sequenceLength = sequenceLength;
    this.count = windowsIn(Math.min(tokens, this.#dataset.tokens), sequenceLength);
  }

  /** Fills `into`, shape (sequenceLength + 1), with a window. */
  read(window: number, into: Uint16Array): void {
    this.#dataset.read(window * this.#sequenceLength, into);
  }

  close(): void {
    this.#dataset.close();
  }
}
