/** One split of a prepared domain as windows of tokens. */
import { IndexedDataset } from "../../formats/megatron/dataset.ts";
import { windowsIn } from "../windows.ts";
import type { PreparedSplit } from "./manifest.ts";

/** A split's tokens, cut into windows. Close it. */
export class WindowStream {
  readonly #dataset: IndexedDataset;
  readonly #sequenceLength: number;
  /** where each document ends, in tokens; read when it is first asked for */
  #ends: Float64Array | undefined;
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

  /** The document in which a window begins, from 0. */
  documentAt(window: number): number {
    this.#ends ??= endsOf(this.#dataset.readSizes());
    const token = window * this.#sequenceLength;
    let low = 0, high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle] ?? Infinity) <= token) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  close(): void {
    this.#dataset.close();
  }
}

/** Running sums of the documents' sizes. */
function endsOf(sizes: Int32Array): Float64Array {
  let end = 0;
  return Float64Array.from(sizes, (size) => end += size);
}
