/** Words that the sentences of several rules share. */
import { formatPaperTokens, shortName } from "../arm_curves.ts";
import type { PaperPoint } from "./parts.ts";

/** The margins of a document of rules, in words. */
export interface MarginWords {
  /** the margin's number */
  readonly value: (name: string) => number;
  /** the same as a percentage: `0.5 %` */
  readonly share: (name: string) => string;
}

/** `0.5x, 1x and 2x`. */
export function listRuns(runs: readonly string[], last = "and"): string {
  const names = runs.map(shortName);
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} ${last} ${names.at(-1)}`;
}

/** `at 50B tokens of the paper`. */
export function atPoint(point: PaperPoint): string {
  return point === "end" ? "at the end of the runs" : `at ${formatPaperTokens(point)} tokens of the paper`;
}
