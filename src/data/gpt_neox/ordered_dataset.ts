/** A dataset of Megatron files, read window by window in GPT-NeoX's order. */
import type { IndexedDataset } from "../../formats/megatron/dataset.ts";
import { buildIndexMapping, type IndexMapping, type OrderSpecification } from "./index_mapping.ts";

/** A piece of a window, from one document. */
export interface WindowPiece {
  /** the document, which is a sequence of the `.idx` */
  readonly document: number;
  /** tokens of it that come before the piece */
  readonly offset: number;
  /** in tokens */
  readonly length: number;
}

/**
 * What a sample is put together from.
 *
 * @param sample from 0 on
 * @throws {RangeError} if the order has not so many samples
 */
export function piecesOf(
  { documentIndex, sampleIndex, shuffleIndex }: IndexMapping,
  { sizes, sequenceLength }: Pick<OrderSpecification, "sizes" | "sequenceLength">,
  sample: number,
): WindowPiece[] {
  const window = shuffleIndex[sample];
  if (window === undefined) throw new RangeError(`Sample ${sample} of an order of ${shuffleIndex.length}`);
  let entry = sampleIndex[2 * window] ?? 0, offset = sampleIndex[2 * window + 1] ?? 0;
  const pieces: WindowPiece[] = [];
  for (let missing = sequenceLength + 1; missing > 0; entry++) {
    const document = documentIndex[entry];
    const size = document === undefined ? undefined : sizes[document];
    if (document === undefined || size === undefined) throw new Error(`Window ${window} goes beyond its documents`);
    const length = Math.min(missing, size - offset);
    if (length > 0) pieces.push({ document, offset, length });
    missing -= length;
    offset = 0;
  }
  return pieces;
}

/** See above. The dataset stays the caller's to close. */
export class OrderedDataset {
  readonly #dataset: IndexedDataset;
  readonly #specification: OrderSpecification;
  readonly #mapping: IndexMapping;

  /**
   * Builds the order.
   *
   * @throws {UserError} as {@linkcode buildIndexMapping} throws
   */
  constructor(dataset: IndexedDataset, specification: OrderSpecification) {
    this.#dataset = dataset;
    this.#specification = specification;
    this.#mapping = buildIndexMapping(specification);
  }

  /** The document in which a sample begins. */
  documentAt(sample: number): number {
    return piecesOf(this.#mapping, this.#specification, sample)[0]?.document ?? 0;
  }

  /** Fills `into`, shape (sequenceLength + 1), with a sample. */
  read(sample: number, into: Uint16Array): void {
    let at = 0;
    for (const { document, offset, length } of piecesOf(this.#mapping, this.#specification, sample)) {
      this.#dataset.read(this.#dataset.place(document).start + offset, into.subarray(at, at + length));
      at += length;
    }
  }
}
