/** What judging a claim gives, as it stands in a manifest. */
import type { Evidence } from "../rules/assessment.ts";

/** What became of a claim, in the order in which tables count them. */
export const VERDICT_NAMES = ["reproduced", "contradicted", "inconclusive", "not comparable"] as const;

/** What became of a claim. */
export type VerdictName = typeof VERDICT_NAMES[number];

/** A named number, as a decimal string. */
export interface NamedNumber {
  /** what was measured, with its unit */
  readonly name: string;
  /** rounded as its rule says */
  readonly value: string;
}

/** A claim with its verdict and everything the verdict rests on; plain JSON. */
export interface Verdict {
  /** stable, from its experiment's file */
  readonly id: string;
  /** a few words */
  readonly title: string;
  /** the claim in a sentence */
  readonly statement: string;
  /** of the paper, or of the source, such as `4.1` */
  readonly section: string;
  /** figures of the paper, such as `2, 3`; empty where there is none */
  readonly figure: string;
  /** how the claim is known: A, B, C or ? */
  readonly confidence: string;
  /** `reproduced` only if every comparison of the rule holds */
  readonly verdict: VerdictName;
  /** the same for a reader, no stronger than what was shown: `same direction at this scale`; absent with rules of version 1 */
  readonly words?: string;
  /** where the claim is from, if not from the paper that is reproduced: `arXiv 2403.08763, table 3` */
  readonly source?: string;
  /** the rule in words, with its margin, and how the paper's words were read where they leave a choice */
  readonly rule: string;
  /** one sentence: what the curves show, and why that gives this verdict */
  readonly reason: string;
  /** the same for a table: a few words */
  readonly summary: string;
  /** the comparisons the rule made; with several seeds also their intervals and effect sizes */
  readonly numbers: readonly NamedNumber[];
  /** the points of the curves that were read */
  readonly evidence: readonly Evidence[];
}
