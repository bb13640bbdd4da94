/** Which part of a dataset a file is, by the names that the hub's own viewer goes by. */
import type { Split } from "../domain.ts";

/** A part of a dataset; no run reads the test set. */
export type NamedSplit = Split | "test";

/**
 * Words that name a split in a path, between anything that is no letter.
 *
 * @see https://huggingface.co/docs/hub/datasets-file-names-and-splits
 */
const WORDS: ReadonlyMap<string, NamedSplit> = new Map([
  ["train", "train"],
  ["training", "train"],
  ["validation", "validation"],
  ["valid", "validation"],
  ["val", "validation"],
  ["dev", "validation"],
  ["test", "test"],
  ["testing", "test"],
  ["eval", "test"],
  ["evaluation", "test"],
]);

/** The split that a path names: its file name first, then its folders from the innermost on. */
export function splitNamed(path: string): NamedSplit | undefined {
  for (const part of path.toLowerCase().split("/").reverse()) {
    for (const word of part.split(/[-._ \d]+/)) {
      const split = WORDS.get(word);
      if (split !== undefined) return split;
    }
  }
  return undefined;
}
