/**
 * How much work judging may be: rules and curves come with a manifest, and a megabyte of rules over small curves could
 * keep a verifier busy for hours.
 */
import { UserError } from "../errors.ts";
import { type ArmCurves, armName } from "./arm_curves.ts";
import type { Paper } from "./paper_schema.ts";
import { measureKind } from "./estimates/catalogue.ts";
import { type Rule, runsOf } from "./rule_schema.ts";
import { ruleKind } from "./rules/catalogue.ts";
import { groupCount } from "./statistics/jackknife.ts";

/** Comparisons of all rules together, each with a bootstrap or sign flips where there are several seeds; the paper's make 61. */
const MAX_CONTRASTS = 400;
/** Readings of points that are always allowed, and further ones for each point that there is. */
const FREE_READINGS = 2_000_000;
const READINGS_PER_POINT = 64;
/** The same where points are read once more without each group of documents. */
const FREE_LEFT_OUT_READINGS = 40_000_000;

/** Contrasts that a rule makes. */
export function contrastCount(rule: Rule): number {
  return ruleKind(rule.kind).contrastCount(rule);
}

/** The arms that each claim and each number reads. */
function readersOf(paper: Paper): (readonly string[])[] {
  return [
    ...paper.claims.map(({ rule }) => runsOf(rule)),
    ...Object.values(paper.preconditions).map(({ rule }) => runsOf(rule)),
    ...paper.experiments.flatMap(({ estimates }) =>
      estimates.map(({ measure }) => measureKind(measure.kind).runsOf(measure))
    ),
    ...paper.textNumbers.map(({ ours }) => ours.runs),
    ...paper.axisRanges.map(({ runs }) => runs),
    ...paper.followUpNumbers.flatMap(({ ours }) => ours === undefined ? [] : [ours.runs]),
  ];
}

/**
 * Refuses rules whose judging would take more than its share of the curves' size.
 *
 * @throws {UserError} `RULES_TOO_LARGE`
 */
export function requireJudgeable(paper: Paper, arms: readonly ArmCurves[]): void {
  const rules = [...paper.claims, ...Object.values(paper.preconditions)].map(({ rule }) => rule);
  const contrasts = rules.reduce((sum, rule) => sum + contrastCount(rule), 0);
  if (contrasts > MAX_CONTRASTS) {
    throw tooLarge(`make ${contrasts} comparisons, and at most ${MAX_CONTRASTS} are made`);
  }
  const pointsOf = new Map<string, number>();
  let points = 0;
  let passes = 1;
  for (const arm of arms) {
    const name = armName(arm);
    pointsOf.set(name, (pointsOf.get(name) ?? 0) + arm.curves.points.length);
    points += arm.curves.points.length;
    passes = Math.max(passes, passesOver(arm));
  }
  let readings = 0;
  for (const names of readersOf(paper)) for (const name of names) readings += pointsOf.get(name) ?? 0;
  readings *= passes;
  const most = (passes === 1 ? FREE_READINGS : FREE_LEFT_OUT_READINGS) + READINGS_PER_POINT * points;
  if (readings > most) {
    throw tooLarge(`read ${readings} points of curves that have ${points}, and at most ${most} are read`);
  }
}

/** How often a rule reads an arm: twice, and once without each group of documents. */
function passesOver({ curves: { validation } }: ArmCurves): number {
  const groups = [validation?.upstream, validation?.downstream].map((set) =>
    groupCount(Math.max(set?.documents?.length ?? 0, set?.sampledDocuments?.length ?? 0))
  );
  const all = groups.reduce((sum, count) => sum + count, 0);
  return all === 0 ? 1 : 2 + all;
}

function tooLarge(found: string): UserError {
  return new UserError("RULES_TOO_LARGE", `The rules of the claims ${found}`, "judge by rules that read less");
}
