/** The runs that a run starts from. */
import type { ImportedStart, InitialWeights, RunCheckpoint } from "./run.ts";

/** Checkpoints of other runs that weights are made of, in the order in which they are read; none of most. */
export function startsOf(initialWeights: InitialWeights): readonly RunCheckpoint[] {
  switch (initialWeights.kind) {
    case "random":
    case "imported":
      return [];
    case "checkpoint":
      return [initialWeights];
    case "interpolation": {
      const { from, to } = initialWeights;
      return from.kind === "checkpoint" ? [from, to] : [to];
    }
  }
}

/** The checkpoint that a run waits for last: what else its weights are made of was there before it. */
export function lastStartOf(initialWeights: InitialWeights): RunCheckpoint | undefined {
  return startsOf(initialWeights).at(-1);
}

/** The model of others that weights are made of, if there is one. */
export function importedStartOf(initialWeights: InitialWeights): ImportedStart | undefined {
  if (initialWeights.kind === "imported") return initialWeights;
  if (initialWeights.kind === "interpolation" && initialWeights.from.kind === "imported") return initialWeights.from;
  return undefined;
}
