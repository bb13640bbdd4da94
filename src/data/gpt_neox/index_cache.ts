/** The three files in which GPT-NeoX keeps an order beside its dataset, under the names that it looks for. */
import type { IndexMapping } from "./index_mapping.ts";
import { type NpyArray, readNpy, writeNpy } from "../../formats/npy.ts";

/** What of an order stands in the names of its files; later versions of GPT-NeoX add `_packedpi_ac`. */
export interface OrderName {
  /** path of the dataset without its ending */
  readonly prefix: string;
  /** `train_0`, or `train`, `valid`, `test` for parts of one dataset */
  readonly part: string;
  /** windows asked for, with the reserve of a blend */
  readonly samples: number;
  /** tokens of a window without its last target */
  readonly sequenceLength: number;
  /** of the shuffles */
  readonly seed: number;
}

/** The arrays of an order, by the word for each in the names of files. */
const ARRAYS = ["doc_idx", "sample_idx", "shuffle_idx"] as const;

/** One of the three. */
export type ArrayName = (typeof ARRAYS)[number];

/**
 * Path of one file of an order.
 *
 * @see gpt-neox of 2023 `megatron/data/gpt2_dataset.py`, `_build_index_mappings`
 */
function indexPath({ prefix, part, samples, sequenceLength, seed }: OrderName, array: ArrayName): string {
  return `${prefix}_${part}_indexmap_${samples}ns_${sequenceLength}sl_${seed}s_${array}.npy`;
}

function arrayOf({ documentIndex, sampleIndex, shuffleIndex }: IndexMapping, array: ArrayName): NpyArray {
  if (array === "doc_idx") return { shape: [documentIndex.length], values: documentIndex };
  if (array === "sample_idx") return { shape: [sampleIndex.length / 2, 2], values: sampleIndex };
  return { shape: [shuffleIndex.length], values: shuffleIndex };
}

/**
 * Writes an order as `numpy.save` would.
 *
 * @returns the paths of the files, which must not exist yet
 * @throws {UserError} if they exist or cannot be written
 */
export function writeIndexMapping(name: OrderName, mapping: IndexMapping): string[] {
  return ARRAYS.map((array) => {
    const path = indexPath(name, array);
    writeNpy(path, arrayOf(mapping, array));
    return path;
  });
}

/** How a file of a GPT-NeoX run stands to an order. */
export interface IndexComparison {
  /** of the file */
  readonly path: string;
  /** what differs first; null if nothing does */
  readonly difference: string | null;
}

/**
 * Holds an order against the files that a run of GPT-NeoX left.
 *
 * @throws {UserError} `INVALID_NPY`, and for files that are missing or cannot be read
 */
export function compareIndexMapping(name: OrderName, mapping: IndexMapping): IndexComparison[] {
  return ARRAYS.map((array) => {
    const path = indexPath(name, array);
    return { path, difference: firstDifference(arrayOf(mapping, array), readNpy(path)) };
  });
}

function firstDifference(own: NpyArray, other: NpyArray): string | null {
  if (own.shape.join() !== other.shape.join()) {
    return `shape (${other.shape.join(", ")}), expected (${own.shape.join(", ")})`;
  }
  const at = own.values.findIndex((value: number, i: number) => value !== other.values[i]);
  return at < 0 ? null : `element ${at} is ${other.values[at]}, expected ${own.values[at]}`;
}
