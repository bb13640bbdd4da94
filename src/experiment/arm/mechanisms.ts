/** What sets a run apart from plain training on one corpus, in words, for tables. */
import { penaltyInWords } from "../run/penalty.ts";
import { replayInWords } from "../run/replay.ts";
import type { RunSpecification } from "../run/run.ts";

/** The mechanisms of a run, in a fixed order; none of most. */
export function mechanismsOf({ initialWeights, replay, penalty }: RunSpecification): string[] {
  return [
    ...(initialWeights.kind === "interpolation"
      ? [`evaluated at ${initialWeights.fraction} of the way between two models`]
      : []),
    ...(initialWeights.kind === "checkpoint" && initialWeights.optimizerState === "carried"
      ? ["optimizer state carried on"]
      : []),
    ...(replay === undefined ? [] : [replayInWords(replay)]),
    ...(penalty === undefined ? [] : [penaltyInWords(penalty)]),
  ];
}
