/** How GPT-NeoX divides one dataset into training, validation and test: by documents, in the order of the files. */
import type { DocumentRange } from "./index_mapping.ts";

/** GPT-NeoX's default, `split: "969, 30, 1"`. */
const SHARES = [969, 30, 1] as const;

/** The parts of a dataset. */
export type Part = "train" | "validation" | "test";

/** To the nearest whole number, halves to the even one, as Python rounds. */
function round(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/**
 * The documents of each part: shares rounded one by one, and what is then too much or too little taken from the first
 * part on. Parts of small datasets can be empty.
 *
 * @param documents of the dataset, which are the sequences of its `.idx`
 * @see gpt-neox of 2023 `megatron/data/data_utils.py`, `get_train_valid_test_split_`
 */
export function splitDocuments(documents: number): Readonly<Record<Part, DocumentRange>> {
  const sum = SHARES.reduce<number>((total, share) => total + share, 0);
  const counts = SHARES.map((share) => round(share / sum * documents));
  const surplus = counts.reduce((total, count) => total + count, 0) - documents;
  const train = (counts[0] ?? 0) - surplus;
  const validation = train + (counts[1] ?? 0);
  return {
    train: { first: 0, end: train },
    validation: { first: train, end: validation },
    test: { first: validation, end: documents },
  };
}
