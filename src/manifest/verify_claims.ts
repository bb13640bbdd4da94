/** The claims, judged again from the curves and compared with those stated. Web-standard APIs only. */
import { canonicalJson } from "../digest/canonical_json.ts";
import type { Plan } from "../experiment/plan.ts";
import type { PlannedRun, RunKey } from "../experiment/run.ts";
import { printable } from "../files/safe_name.ts";
import type { ArmCurves } from "../results/arm_curves.ts";
import type { Verdict } from "../results/claims.ts";
import type { ComparisonRow } from "../results/compare_numbers.ts";
import type { Curves } from "../results/curves.ts";
import type { Predicate } from "./predicate.ts";
import type { StepOutcome } from "./verification_report.ts";

/** What claims are judged by. */
export interface ClaimEvidence {
  readonly predicate: Predicate;
  readonly plan: Plan;
  /** every arm whose run was trained, in the order of the runs */
  readonly arms: readonly ArmCurves[];
}

/** What judging gives. */
export interface Judgement {
  readonly claims: readonly Verdict[];
  readonly comparisons: readonly ComparisonRow[];
}

/**
 * Judges the claims by the rules that the predicate names. A string says why it cannot: the paper's file here is another
 * one than was signed.
 */
export type Judge = (evidence: ClaimEvidence) => Promise<Judgement | string> | Judgement | string;

/** Pairs every arm of the trained runs with its curve. */
export function armsOf(runs: readonly PlannedRun[], curves: ReadonlyMap<RunKey, Curves>): ArmCurves[] {
  return runs.flatMap(({ key, usedBy }) => {
    const curve = curves.get(key);
    return curve === undefined ? [] : usedBy.map((arm) => ({ ...arm, runKey: key, curves: curve }));
  });
}

/** Judges again and compares word by word, digit by digit. */
export async function checkClaims(
  predicate: Predicate,
  plan: Plan,
  curves: ReadonlyMap<RunKey, Curves>,
  judge: Judge | undefined,
): Promise<StepOutcome> {
  if (judge === undefined) return { status: "not checked", detail: "no rules are at hand to judge the claims by" };
  const judgement = await judge({ predicate, plan, arms: armsOf(predicate.runs, curves) });
  if (typeof judgement === "string") return { status: "not checked", detail: judgement };
  const flaw = difference("claim", predicate.claims, judgement.claims, ({ id }) => id) ??
    difference("comparison", predicate.comparisons, judgement.comparisons, ({ id }) => id);
  if (flaw !== undefined) return { status: "failed", detail: flaw };
  const { claims, comparisons } = judgement;
  const detail = `${claims.length} claims and ${comparisons.length} comparisons judged again, with the same outcome`;
  return { status: "ok", detail };
}

function difference<T extends object>(
  kind: string,
  stated: readonly T[],
  judged: readonly T[],
  nameOf: (item: T) => string,
): string | undefined {
  for (let index = 0; index < Math.max(stated.length, judged.length); index++) {
    const ours = judged[index];
    const theirs = stated[index];
    if (ours === undefined) {
      return theirs && `${kind} "${printable(nameOf(theirs))}" is stated, but the rules have none`;
    }
    if (theirs === undefined) return `${kind} "${printable(nameOf(ours))}" is not stated`;
    if (canonicalJson(theirs) !== canonicalJson(ours)) {
      return `${kind} "${printable(nameOf(ours))}" ${member(theirs, ours)}`;
    }
  }
  return undefined;
}

/** The first member that differs. */
function member(stated: object, judged: object): string {
  const entries = new Map(Object.entries(stated));
  for (const [name, ours] of Object.entries(judged)) {
    const theirs = entries.get(name);
    if (theirs === undefined || canonicalJson(theirs) !== canonicalJson(ours)) {
      const show = (value: unknown) => printable(value === undefined ? "nothing" : canonicalJson(value));
      return `has ${name} ${show(theirs)}, and the curves give ${show(ours)}`;
    }
  }
  return "states more than the curves give";
}
