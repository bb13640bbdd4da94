/** What sets a run apart from plain training on one corpus, in words, for tables. */
import { replayInWords } from "./replay.ts";
import type { RunSpecification } from "./run.ts";

/** The mechanisms of a run, in a fixed order; none of most. */
export function mechanismsOf({ replay }: RunSpecification): string[] {
  return replay === undefined ? [] : [replayInWords(replay)];
}
