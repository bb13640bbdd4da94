/** What is told of the data while they are opened. */
import type { DataProgress } from "../data/options.ts";
import { describeShortage } from "../data/shortage.ts";
import { describeOddRows } from "../data/text/odd_rows.ts";
import { printWarning } from "../terminal.ts";

/** What is worth a warning; progress alone is not. */
export function dataWarnings(progress: DataProgress): string[] {
  if (progress.stage === "shortage") return [describeShortage(progress)];
  if (progress.stage === "odd rows") return describeOddRows(progress.corpus, progress);
  if (progress.stage === "rebuild") return [`${progress.corpus} corpus: ${progress.reason}`];
  return [];
}

/** Prints the warnings. */
export function warnOfData(progress: DataProgress): void {
  for (const warning of dataWarnings(progress)) printWarning(warning);
}
