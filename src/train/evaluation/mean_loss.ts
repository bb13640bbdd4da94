/** The mean of losses that an engine gives by window. */

/**
 * Mean cross-entropy of windows, nats a token: the engine's f32 sums, added in doubles in their order.
 *
 * @param sequenceLength tokens of a window that are predicted
 */
export function meanLoss(sums: Iterable<number>, sequenceLength: number): number {
  let total = 0;
  let windows = 0;
  for (const sum of sums) {
    total += sum;
    windows++;
  }
  return total / (windows * sequenceLength);
}
