/** The claims, judged again from the curves and compared with those stated. Web-standard APIs only. */
import { canonicalJson } from "../../digest/canonical_json.ts";
import type { Plan } from "../../experiment/plan/plan.ts";
import type { PlannedRun, RunKey } from "../../experiment/run/run.ts";
import { printable } from "../../files/safe_name.ts";
import type { ArmCurves } from "../../results/arm_curves.ts";
import type { Verdict } from "../../results/claims.ts";
import type { ComparisonRow } from "../../results/compare_numbers.ts";
import type { Estimate } from "../../results/estimates/estimate.ts";
import type { Curves } from "../../results/curves.ts";
import { type Predicate, TOOL_VERSION } from "../format/predicate.ts";
import type { StepOutcome } from "./verification_report.ts";

/** What claims are judged by. */
export interface ClaimEvidence {
  /** what the manifest states */
  readonly predicate: Predicate;
  /** the manifest's plan, its digests checked */
  readonly plan: Plan;
  /** every arm whose run was trained, in the order of the runs */
  readonly arms: readonly ArmCurves[];
  /** the signed file of rules, where it is an artefact of the manifest */
  readonly rules?: string;
}

/** What judging gives. */
export interface Judgement {
  /** in the order of the rules */
  readonly claims: readonly Verdict[];
  /** in the order of the rules' file */
  readonly comparisons: readonly ComparisonRow[];
  /** of the rules; absent for version 1 */
  readonly rulesVersion?: 2;
  /** in the order of the experiments; absent where the rules ask for none */
  readonly estimates?: readonly Estimate[];
  /** what the judging leaves open, in a whole sentence */
  readonly caveat?: string;
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

/**
 * Judges again and compares digit by digit, and word by word too where this version made the manifest. Another version
 * may word the same findings otherwise: that is a caveat.
 */
export async function checkClaims(
  evidence: ClaimEvidence,
  judge: Judge | undefined,
): Promise<StepOutcome & { readonly caveat?: string }> {
  const { predicate } = evidence;
  if (judge === undefined) return { status: "not checked", detail: "no rules are at hand to judge the claims by" };
  const judgement = await judge(evidence);
  if (typeof judgement === "string") return { status: "not checked", detail: judgement };
  const { claims, comparisons, estimates = [], rulesVersion = 1 } = judgement;
  if ((predicate.rulesVersion ?? 1) !== rulesVersion) {
    const detail = `the rules are stated to be of version ${predicate.rulesVersion ?? 1}, and are of ${rulesVersion}`;
    return { status: "failed", detail };
  }
  const { version } = predicate.tool;
  const stated = predicate.estimates ?? [];
  const inWords = difference("claim", predicate.claims, claims) ??
    difference("comparison", predicate.comparisons, comparisons) ?? difference("estimate", stated, estimates);
  const flaw = version === TOOL_VERSION ? inWords : difference(
    "claim",
    predicate.claims.map(claimFindings),
    claims.map(claimFindings),
  ) ?? difference("comparison", predicate.comparisons.map(comparisonFindings), comparisons.map(comparisonFindings)) ??
    difference("estimate", stated.map(estimateFindings), estimates.map(estimateFindings));
  if (flaw !== undefined) return { status: "failed", detail: flaw };
  const detail =
    `claims judged again with the same outcome: ${claims.length}, numbers compared: ${comparisons.length}` +
    (estimates.length === 0 ? "" : `, questions estimated again: ${estimates.length}`);
  const caveats = [
    ...(judgement.caveat === undefined ? [] : [judgement.caveat]),
    ...(inWords === undefined ? [] : [
      `The words for what was found: the manifest's are those of version ${printable(version)}, and ${inWords}.`,
    ]),
  ];
  return { status: "ok", detail, caveat: caveats.join(" ") || undefined };
}

/** A claim without the words that a version of the program chooses. */
function claimFindings({ rule: _, words: _words, reason: _reason, summary: _summary, ...claim }: Verdict) {
  return {
    ...claim,
    numbers: claim.numbers.map(({ value }) => value),
    evidence: claim.evidence.map(({ label: _label, ...point }) => point),
  };
}

/** An estimate without the words that a version of the program chooses. */
function estimateFindings({ measure: _, missing, ...estimate }: Estimate) {
  return {
    ...estimate,
    isMissing: missing !== undefined,
    numbers: estimate.numbers.map(({ label: _label, ...number }) => number),
    evidence: estimate.evidence.map(({ label: _label, ...point }) => point),
  };
}

/** A comparison without the words that a version of the program chooses. */
function comparisonFindings({ reason: _, ...comparison }: ComparisonRow) {
  return comparison;
}

function difference<T extends { readonly id: string }>(
  kind: string,
  stated: readonly T[],
  judged: readonly T[],
): string | undefined {
  for (let index = 0; index < Math.max(stated.length, judged.length); index++) {
    const ours = judged[index];
    const theirs = stated[index];
    if (ours === undefined) return theirs && `${kind} "${printable(theirs.id)}" is stated, but the rules have none`;
    const name = `${kind} "${printable(ours.id)}"`;
    if (theirs === undefined) return `${name} is not stated`;
    if (canonicalJson(theirs) !== canonicalJson(ours)) return `${name} ${member(theirs, ours)}`;
  }
  return undefined;
}

/** The first member that differs. */
function member(stated: object, judged: object): string {
  const entries = new Map(Object.entries(stated));
  for (const [name, ours] of Object.entries(judged)) {
    const [told, found] = [jsonOrNothing(entries.get(name)), jsonOrNothing(ours)];
    if (told !== found) return `has ${name} ${printable(told)}, and the curves give ${printable(found)}`;
  }
  return "states more than the curves give";
}

function jsonOrNothing(member: unknown): string {
  return member === undefined ? "nothing" : canonicalJson(member);
}
