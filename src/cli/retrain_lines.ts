/** What `reproduce --retrain` prints on the way. */
import { compactNumber } from "../text/numbers.ts";
import { counted, segmentName } from "../retrain/segment.ts";
import type { RetrainFoundEvents } from "../reproduce/retrain_found.ts";
import { formatSeconds } from "./progress.ts";

/**
 * One line a segment, and the choice before them.
 *
 * @param print prints a line
 */
export function retrainFoundLines(print: (line: string) => void): RetrainFoundEvents {
  let start = 0;
  let done = 0;
  let chosen = 0;
  return {
    onRetrain: ({ segments, total, seed, worth }) => {
      chosen = segments.length;
      const tokens = segments.reduce((sum, segment) => sum + segment.tokens, 0);
      if (chosen > 0) print(`Retraining ${chosen} of ${total} segments found, ${compactNumber(tokens)} tokens`);
      if (seed !== undefined) print(`Seed of the choice: ${seed}`);
      print(worth);
      start = performance.now();
    },
    onRetrained: (segment, { evaluations }) => {
      const seconds = (performance.now() - start) / 1000;
      start = performance.now();
      const place = `${String(++done).padStart(String(chosen).length)}/${chosen}`;
      print(
        `  ${place}  ${segmentName(segment)}  same bits: ${counted(segment.to - segment.from, "step")}, ` +
          `${counted(evaluations, "evaluation")}, ${formatSeconds(seconds)}`,
      );
    },
  };
}
