/** What every kind of estimate implements: its fields, its words and its computation, in one file of `kinds/`. */
import type { z } from "zod";
import type { ArmCurves, JudgeContext } from "../arm_curves.ts";
import type { Evidence } from "../rules/assessment.ts";

/** What estimated numbers are. */
export const ESTIMATE_UNITS = [
  "share of loss",
  "share",
  "B tokens",
  "squared share of loss",
] as const satisfies readonly EstimateUnit[];

/** What an estimated number is. */
export type EstimateUnit = "share of loss" | "share" | "B tokens" | "squared share of loss";

/** A number that is estimated, before its errors are known. */
export interface EstimatedNumber {
  /** what is measured, of which arm: `depth of 1x` */
  readonly label: string;
  readonly unit: EstimateUnit;
  /** one number a seed, in ascending order of seeds */
  readonly values: readonly number[];
  /** the run ends before the number does: it is this or more */
  readonly isAtLeast?: true;
}

/** What curves give. */
export interface EstimateReading {
  readonly numbers: readonly EstimatedNumber[];
  readonly evidence: readonly Evidence[];
}

/** The scale, and the arms that the estimate names. */
export interface EstimateContext extends JudgeContext {
  readonly arms: readonly ArmCurves[];
}

/** A kind of estimate; `Measure` is what an experiment's file states of it. */
export interface MeasureKind<Measure extends { readonly kind: string }> {
  /** its fields, with `kind` as a literal */
  readonly schema: z.ZodType<Measure> & z.core.$ZodTypeDiscriminable;
  /** the numbers that it gives, in Markdown, for the documentation */
  readonly numbers: string;
  /** every run that it reads, in the order in which it names them */
  runsOf(measure: Measure): string[];
  /** what is measured, as a sentence without its final stop */
  describe(measure: Measure): string;
  /**
   * Reads the numbers off the curves.
   *
   * @throws {CannotRead} if an arm is missing, diverged, or has no evaluation where it is read
   */
  read(measure: Measure, context: EstimateContext): EstimateReading;
}
