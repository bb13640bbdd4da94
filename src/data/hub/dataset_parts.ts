/** Of which datasets a corpus is made, and how much is read of each. */
import type { PerSplit } from "../domain.ts";
import type { HubCorpus } from "../options.ts";

/** A dataset that a corpus takes its training text, its validation text, or both from. */
export interface DatasetPart {
  /** `owner/name` */
  readonly dataset: string;
  /** tokens that are read of it */
  readonly tokens: PerSplit;
}

/** The dataset itself, and the one that is its validation split where that lies by itself. */
export function datasetParts(
  { dataset, tokens, validation }: HubCorpus,
): readonly [own: DatasetPart, ...apart: DatasetPart[]] {
  if (validation === undefined) return [{ dataset, tokens }];
  return [
    { dataset, tokens: { ...tokens, validation: 0 } },
    { dataset: validation, tokens: { ...tokens, train: 0 } },
  ];
}
