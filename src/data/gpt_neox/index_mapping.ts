/**
 * In which order GPT-NeoX reads a dataset. One generator shuffles the documents of all epochs together; their stream
 * is cut into windows of T + 1 tokens at stride T, which cross documents and epochs; then the generator shuffles the
 * windows. The number of samples asked for says how many epochs there are, and so it changes the whole order.
 *
 * "Document" is GPT-NeoX's word here for a sequence of the `.idx`: it does not look at the `.idx`'s own list of
 * documents, which differs where documents were stored in several sequences. Megatron-LM may shuffle the last epoch
 * apart from the others; GPT-NeoX does not.
 *
 * @see gpt-neox of 2023 `megatron/data/gpt2_dataset.py` and `build_sample_idx` of `megatron/data/helpers.cpp`; the same
 * in later versions under `pack_impl: packed`
 */
import { UserError } from "../../errors.ts";
import { windowsIn } from "../windows.ts";
import { RandomState } from "./mt19937.ts";

/** Above it GPT-NeoX keeps sample indices in 64 bits, which is not done here. */
const MAX_SAMPLE_INDEX = 2 ** 31 - 1;

/** Documents `first` to `end − 1` of a dataset. */
export interface DocumentRange {
  /** the first of them */
  readonly first: number;
  /** the one after the last */
  readonly end: number;
}

/** What determines an order. */
export interface OrderSpecification {
  /** tokens of each document of the dataset, shape (all documents) */
  readonly sizes: Int32Array;
  /** those that take part */
  readonly documents: DocumentRange;
  /** windows that there must be at least */
  readonly samples: number;
  /** tokens of a window without its last target, T */
  readonly sequenceLength: number;
  /** from 0 to 2^32 − 1 */
  readonly seed: number;
}

/** An order, in the arrays that GPT-NeoX keeps and caches. */
export interface IndexMapping {
  /** times that each document comes */
  readonly epochs: number;
  /** the documents of all epochs in shuffled order, shape (epochs · documents) */
  readonly documentIndex: Int32Array;
  /** where each window starts and the last one ends, shape (windows + 1, 2): place in `documentIndex`, offset there */
  readonly sampleIndex: Int32Array;
  /** the window of each sample, shape (windows) */
  readonly shuffleIndex: Uint32Array;
}

/**
 * The least number of epochs whose windows are enough.
 *
 * @param tokensPerEpoch at least 1
 */
export function epochsNeeded(tokensPerEpoch: number, sequenceLength: number, samples: number): number {
  return Math.max(1, Math.ceil((samples * sequenceLength + 1) / tokensPerEpoch));
}

/** Tokens of some documents. */
export function tokensOf(sizes: Int32Array, { first, end }: DocumentRange): number {
  let tokens = 0;
  for (let i = first; i < end; i++) tokens += sizes[i] ?? 0;
  return tokens;
}

/**
 * Builds the order of a dataset. Takes 4 bytes for each document and epoch, and 12 for each window: the standard Pile
 * (210,607,728 documents, one epoch of 163 million windows of 2048) 2.8 GB, besides 0.8 GB of sizes.
 *
 * @throws {UserError} `CORPUS_TOO_SHORT` for documents without tokens, `INDEX_TOO_LARGE` for more than 2^31 − 1
 * documents over all epochs or 2^30 − 2 windows, and for more than memory holds
 */
export function buildIndexMapping(specification: OrderSpecification): IndexMapping {
  const { sizes, documents, samples, sequenceLength, seed } = specification;
  const tokensPerEpoch = tokensOf(sizes, documents);
  if (tokensPerEpoch === 0) {
    throw new UserError(
      "CORPUS_TOO_SHORT",
      `Documents ${documents.first} to ${documents.end - 1} of a dataset have no tokens`,
      "leave the dataset out, or give one that has text",
    );
  }
  const epochs = epochsNeeded(tokensPerEpoch, sequenceLength, samples);
  const windows = windowsIn(epochs * tokensPerEpoch, sequenceLength);
  const entries = epochs * (documents.end - documents.first);
  if (entries > MAX_SAMPLE_INDEX || 2 * (windows + 1) >= MAX_SAMPLE_INDEX) {
    throw tooLarge(epochs, entries, windows, "at most 2^31 − 1 documents and 2^30 − 2 windows can be put in order");
  }
  const random = new RandomState(seed);
  try {
    const documentIndex = tiledDocuments(documents, epochs);
    random.shuffle(documentIndex);
    const sampleIndex = placeWindows(sizes, documentIndex, windows, sequenceLength);
    const shuffleIndex = new Uint32Array(windows);
    for (let i = 0; i < windows; i++) shuffleIndex[i] = i;
    random.shuffle(shuffleIndex);
    return { epochs, documentIndex, sampleIndex, shuffleIndex };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const gigabytes = (4 * entries + 12 * windows) / 1e9;
    throw tooLarge(epochs, entries, windows, `its order needs ${gigabytes.toFixed(1)} GB of memory`);
  }
}

function tooLarge(epochs: number, entries: number, windows: number, reason: string): UserError {
  return new UserError(
    "INDEX_TOO_LARGE",
    `${epochs} epochs of a dataset have ${entries} documents and ${windows} windows, and ${reason}`,
    "ask for fewer samples, or split the dataset",
  );
}

function tiledDocuments({ first, end }: DocumentRange, epochs: number): Int32Array {
  const count = end - first;
  const tiled = new Int32Array(epochs * count);
  for (let epoch = 0, at = 0; epoch < epochs; epoch++) {
    for (let i = first; i < end; i++) tiled[at++] = i;
  }
  return tiled;
}

/**
 * Window i starts at token i · T of the stream. That token is also the last target of window i − 1, and is placed in
 * the document that holds it: a start never stands behind a document's last token or in an empty document, but for the
 * first, which stands where the stream begins.
 */
function placeWindows(
  sizes: Int32Array,
  documentIndex: Int32Array,
  windows: number,
  sequenceLength: number,
): Int32Array {
  const placed = new Int32Array(2 * (windows + 1));
  let entry = 0, offset = 0;
  for (let window = 1; window <= windows; window++) {
    offset += sequenceLength;
    let size = sizes[documentIndex[entry] ?? 0] ?? 0;
    while (offset >= size) {
      offset -= size;
      size = sizes[documentIndex[++entry] ?? 0] ?? 0;
    }
    placed[2 * window] = entry;
    placed[2 * window + 1] = offset;
  }
  return placed;
}
