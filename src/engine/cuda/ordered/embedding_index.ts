/** Which rows hold which token: sorted on the host, so that on the GPU each row of the embedding has one owner. */

/** Rows of a micro-batch by gradient block and token, for `scatter_rows` in `kernels/ordered/embedding.cu`. */
export interface EmbeddingIndex {
  /** gradient block in the upper 16 bits, token in the lower; ascending */
  readonly ids: Uint32Array<ArrayBuffer>;
  /** where each id's rows start in `rows`, and their end (ids + 1) */
  readonly starts: Uint32Array<ArrayBuffer>;
  /** sequence · T + position, ascending for each id */
  readonly rows: Uint32Array<ArrayBuffer>;
}

/**
 * Sorts the input tokens of a micro-batch.
 *
 * @param tokens (sequences, T + 1); the last of each sequence is a target only
 * @param sequencesPerBlock sequences of a gradient block
 */
export function indexTokens(
  tokens: Uint16Array,
  sequenceLength: number,
  sequencesPerBlock: number,
): EmbeddingIndex {
  const sequences = tokens.length / (sequenceLength + 1);
  const count = sequences * sequenceLength;
  const keys = new Uint32Array(count);
  for (let row = 0; row < count; row++) {
    const sequence = Math.floor(row / sequenceLength);
    const token = tokens[sequence * (sequenceLength + 1) + row % sequenceLength] ?? 0;
    keys[row] = Math.floor(sequence / sequencesPerBlock) * 65536 + token;
  }
  // A stable sort of the rows by key: the index in the lower digits makes every number distinct.
  const order = Float64Array.from(keys, (key, row) => key * count + row).sort();
  const rows = Uint32Array.from(order, (number) => number % count);
  const ids: number[] = [];
  const starts: number[] = [];
  rows.forEach((row, i) => {
    const key = keys[row] ?? 0;
    if (ids.at(-1) !== key) {
      ids.push(key);
      starts.push(i);
    }
  });
  starts.push(count);
  return { ids: Uint32Array.from(ids), starts: Uint32Array.from(starts), rows };
}
