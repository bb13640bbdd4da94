/** How much of its corpora a scale reads. */
import { PAPER_DOWNSTREAM_TOKENS, PAPER_SAME_DATA_TOKENS, scaledSteps } from "../experiment/scale/paper_units.ts";
import type { CorpusName } from "../experiment/run/run.ts";
import type { Scale } from "../experiment/scale/scale.ts";
import { startsFromImports } from "../experiment/arm/start.ts";
import type { PerSplit } from "./domain.ts";

/**
 * Tokens of a corpus that a scale reads: its longest run's, with the target after each window. Where the model is
 * imported, the upstream corpus is only continued on.
 */
export function tokensNeeded(scale: Scale, corpus: CorpusName): PerSplit {
  const rowTokens = scale.model.config.sequenceLength + 1;
  const { pretraining, continuing } = scale;
  const sameDataSteps = scaledSteps(PAPER_SAME_DATA_TOKENS, PAPER_DOWNSTREAM_TOKENS, continuing.steps);
  const rows = corpus === "downstream" ? continuing.steps * continuing.batchSequences : Math.max(
    sameDataSteps * continuing.batchSequences,
    startsFromImports(scale) ? 0 : pretraining.steps * pretraining.batchSequences,
  );
  return { train: rows * rowTokens, validation: scale.evaluationWindows * rowTokens };
}
