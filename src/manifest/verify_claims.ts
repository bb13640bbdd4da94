/** The claims, judged again from the curves and compared with those stated. Web-standard APIs only. */
import { canonicalJson } from "../digest/canonical_json.ts";
import type { ArmReference, RunKey } from "../experiment/run.ts";
import { printable } from "../files/safe_name.ts";
import type { Curves } from "../results/curves.ts";
import type { ManifestClaim, ManifestComparison, Predicate } from "./predicate.ts";
import type { TrainedRun } from "./run_schema.ts";
import { isTrained } from "./statement_check.ts";
import type { StepOutcome } from "./verification_report.ts";

/** One arm at one seed, with the curve of its run. */
export interface EvidenceArm extends ArmReference {
  readonly run: TrainedRun;
  readonly curves: Curves;
}

/** What claims are judged by. */
export interface ClaimEvidence {
  readonly predicate: Predicate;
  /** every arm whose run was trained, in the order of the runs */
  readonly arms: readonly EvidenceArm[];
}

/** What judging gives, in the manifest's own form. */
export interface Judgement {
  readonly claims: readonly ManifestClaim[];
  readonly comparisons: readonly ManifestComparison[];
}

/**
 * Judges the claims by the rules that the predicate names. A string says why it cannot: the paper's file here is another
 * one than was signed.
 */
export type Judge = (evidence: ClaimEvidence) => Promise<Judgement | string> | Judgement | string;

/** Pairs every arm with its curve. */
export function evidenceArms(predicate: Predicate, curves: ReadonlyMap<RunKey, Curves>): EvidenceArm[] {
  return predicate.runs.filter(isTrained).flatMap((run) => {
    const curve = curves.get(run.key);
    return curve === undefined ? [] : run.usedBy.map((arm) => ({ ...arm, run, curves: curve }));
  });
}

/** Judges again and compares word by word, digit by digit. */
export async function checkClaims(
  predicate: Predicate,
  curves: ReadonlyMap<RunKey, Curves>,
  judge: Judge | undefined,
): Promise<StepOutcome> {
  if (judge === undefined) return { status: "not checked", detail: "no rules are at hand to judge the claims by" };
  const judgement = await judge({ predicate, arms: evidenceArms(predicate, curves) });
  if (typeof judgement === "string") return { status: "not checked", detail: judgement };
  const flaw = difference("claim", predicate.claims, judgement.claims, ({ id }) => id) ??
    difference("comparison", predicate.comparisons, judgement.comparisons, ({ name }) => name);
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
