/** What retraining prints on the way, under `verify`, `retrain` and `attest` as under `reproduce --retrain`. */
import { compactNumber, counted, formatSeconds } from "../text/numbers.ts";
import type { RetrainingEvents } from "../retrain/retrain.ts";
import { type Segment, segmentName } from "../retrain/segment.ts";
import type { SegmentWork } from "../retrain/trainer.ts";
import type { RetrainFoundEvents } from "../reproduce/retrain_found.ts";

/** Lines of a verifier's retraining. */
export function retrainingLines(print: (line: string) => void): RetrainingEvents {
  const lines = new RetrainLines(print);
  return {
    onChoice: ({ segments, total, seed, worth }) => {
      lines.begin(segments, `${total} segments`);
      if (seed !== undefined) print(`Seed of the choice: ${seed} (repeat it with --retrain-seed)`);
      print(`${worth}\n`);
    },
    onSegment: (segment, work) => lines.segment(segment, work),
  };
}

/** Lines of retraining before anything is signed. */
export function retrainFoundLines(print: (line: string) => void): RetrainFoundEvents {
  const lines = new RetrainLines(print);
  return {
    onRetrain: ({ segments, total, seed, worth }) => {
      if (segments.length > 0) lines.begin(segments, `${total} segments found`);
      if (seed !== undefined) print(`Seed of the choice: ${seed}`);
      print(worth);
    },
    onRetrained: (segment, work) => lines.segment(segment, work),
  };
}

/** A line before the first segment, and one after each with the time it took. */
class RetrainLines {
  readonly #print: (line: string) => void;
  #start = 0;
  #done = 0;
  #chosen = 0;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** @param whole what the segments were chosen of */
  begin(segments: readonly Segment[], whole: string): void {
    this.#chosen = segments.length;
    const tokens = segments.reduce((sum, segment) => sum + segment.tokens, 0);
    this.#print(`Retraining ${this.#chosen} of ${whole}, ${compactNumber(tokens)} tokens`);
    this.#start = performance.now();
  }

  segment(segment: Segment, { startedAt, evaluations }: SegmentWork): void {
    const seconds = (performance.now() - this.#start) / 1000;
    this.#start = performance.now();
    const place = `${String(++this.#done).padStart(String(this.#chosen).length)}/${this.#chosen}`;
    const from = startedAt === segment.from ? "" : `, trained from step ${startedAt}`;
    this.#print(
      `  ${place}  ${segmentName(segment)}  same bits: ${counted(segment.to - segment.from, "step")}, ` +
        `${counted(evaluations, "evaluation")}, ${formatSeconds(seconds)}${from}`,
    );
  }
}
