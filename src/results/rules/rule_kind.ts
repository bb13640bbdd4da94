/** What every kind of rule implements: its fields, its words and its computation, in one file of `kinds/`. */
import type { z } from "zod";
import type { Shown } from "../judging/words.ts";
import type { Assessment, RuleContext } from "./assessment.ts";
import type { MarginWords } from "./words.ts";

/** A kind of rule; `Rule` is the rule as an experiment's file states it. */
export interface RuleKind<Rule extends { readonly kind: string }> {
  /** its fields, with `kind` as a literal */
  readonly schema: z.ZodType<Rule> & z.core.$ZodTypeDiscriminable;
  /** the comparisons that it makes, in Markdown, for the documentation */
  readonly comparisons: string;
  /** what must hold of them, in Markdown */
  readonly wanted: string;
  /** what no effect would give, in Markdown: what the comparisons are held against */
  readonly nullModel: string;
  /** what a claim by this rule shows if it holds */
  readonly shows: Shown;
  /** set where rules of version 1 alone may use it: the kind that took its place */
  readonly supersededBy?: string;
  /** every run that it reads, in the order in which it names them */
  runsOf(rule: Rule): string[];
  /** names of the margins that it uses, by the rule's field */
  marginsOf(rule: Rule): Readonly<Record<string, string>>;
  /** comparisons that it makes, before it makes them */
  contrastCount(rule: Rule): number;
  /** the rule as one sentence without its final stop; manifests hold it, and verification compares it */
  describe(rule: Rule, margins: MarginWords): string;
  /**
   * Applies the rule to curves.
   *
   * @throws {CannotRead} if an arm is missing, diverged, or has no evaluation where the rule reads
   */
  assess(rule: Rule, context: RuleContext): Assessment;
}
