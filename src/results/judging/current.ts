/**
 * Claims by rules of version 2: with preconditions, errors over seeds and documents, and a correction for the number of
 * claims before one is called contradicted. How is in docs/claims.md.
 */
import { type ArmCurves, CannotRead, type JudgeContext } from "../arm_curves.ts";
import type { Claim } from "../claim_schema.ts";
import { askedInWords, decimal, inWords, slack } from "../contrast.ts";
import type { Paper } from "../paper_schema.ts";
import type { Evidence } from "../rules/assessment.ts";
import { ruleKind } from "../rules/catalogue.ts";
import { describeRule } from "../rules/describe.ts";
import { holmAdjusted } from "../statistics/holm.ts";
import { LEVEL, measureContrast, type Measurement } from "./measurement.ts";
import { Preconditions } from "./preconditions.ts";
import { assessWithErrors, type Finding } from "./sampling.ts";
import type { NamedNumber, Verdict, VerdictName } from "./verdict.ts";
import { verdictWords } from "./words.ts";

/** Probability with which any claim of a family is contradicted by chance. */
const FAMILY_LEVEL = 0.05;

/** A claim that can be compared, with what the curves show. */
interface Examined {
  readonly claim: Claim;
  readonly finding: Finding;
  readonly measurements: readonly Measurement[];
  /** of its preconditions */
  readonly before: { readonly numbers: readonly NamedNumber[]; readonly evidence: readonly Evidence[] };
}

/** Why a claim cannot be compared, in words that follow "Not comparable:"; and in a few for a table. */
interface NotExamined {
  readonly why: string;
  readonly summary: string;
}

/** A reason that is short enough for a table. */
function withoutMore(why: string): NotExamined {
  return { why, summary: why };
}

/**
 * Judges every claim, in the order of the experiments.
 *
 * @param arms curves of every arm that was run, at every seed, in any order
 */
export function judgeCurrentClaims(paper: Paper, arms: readonly ArmCurves[], context: JudgeContext): Verdict[] {
  const preconditions = new Preconditions(paper, arms, context);
  const examined = paper.claims.map((claim) => examine(claim, paper, arms, context, preconditions));
  const families = familyProbabilities(examined.filter((claim) => "finding" in claim));
  return paper.claims.map((claim, index) => {
    const found = examined[index];
    if (found === undefined) throw new Error(`Claim "${claim.id}" was not examined`);
    if (!("finding" in found)) return notComparable(claim, paper, context, found);
    return verdictOf(found, paper, context, families.get(claim.id));
  });
}

/** What the curves show of a claim, or why they cannot. */
function examine(
  claim: Claim,
  paper: Paper,
  arms: readonly ArmCurves[],
  context: JudgeContext,
  preconditions: Preconditions,
): Examined | NotExamined {
  if (claim.comparable === "paper-scale" && !context.isPaperScale) {
    return withoutMore(`an absolute number of the paper's model, and scale "${context.scale}" trains another`);
  }
  const before = (claim.requires ?? []).map((name) => preconditions.examine(name));
  const unmet = before.find((precondition) => precondition.unmet !== undefined);
  if (unmet?.unmet !== undefined) {
    return { why: unmet.unmet, summary: `not shown: ${paper.preconditions[unmet.name]?.title ?? unmet.name}` };
  }
  try {
    const marginValue = (name: string) => paper.margins[name]?.value ?? NaN;
    const finding = assessWithErrors(claim.rule, { ...context, arms, marginValue });
    return {
      claim,
      finding,
      measurements: finding.contrasts.map((contrast, index) => measureContrast(contrast, finding.sampling?.[index])),
      before: {
        numbers: before.flatMap(({ name, measurements }) =>
          measurements.map(({ contrast, mean }) => ({
            name: `precondition ${name}: ${contrast.label}, ${contrast.unit}`,
            value: decimal(mean),
          }))
        ),
        evidence: before.flatMap(({ evidence }) => evidence),
      },
    };
  } catch (error) {
    if (!(error instanceof CannotRead)) throw error;
    return withoutMore(error.message);
  }
}

/** The smallest probability that a sentence states: four decimals would make nothing of a smaller one. */
const LEAST_STATED = 1e-4;

/** How a claim stands among all that are tested: its probability if it were so, corrected, and their number. */
interface Family {
  readonly probability: number;
  readonly claims: number;
}

/**
 * Holm's correction over the claims of one source, so that further experiments do not move the paper's verdicts. Within a
 * claim the least probable comparison counts, times their number (Bonferroni).
 */
function familyProbabilities(examined: readonly Examined[]): ReadonlyMap<string, Family> {
  const families = new Map<string, Family>();
  const tested = examined.filter(({ measurements }) => measurements.some(({ sources }) => sources.length > 0));
  for (const source of new Set(tested.map(({ claim }) => claim.source))) {
    const members = tested.filter(({ claim }) => claim.source === source);
    const adjusted = holmAdjusted(
      members.map(({ measurements }) =>
        Math.min(1, measurements.length * Math.min(...measurements.map(({ opposite }) => opposite)))
      ),
    );
    members.forEach(({ claim }, index) =>
      families.set(claim.id, { probability: adjusted[index] ?? 1, claims: members.length })
    );
  }
  return families;
}

function aboutOf(
  claim: Claim,
  paper: Paper,
): Omit<Verdict, "verdict" | "words" | "reason" | "summary" | "numbers" | "evidence"> {
  const { id, title, statement, section, figure, confidence, note, source, requires = [] } = claim;
  const rule = describeRule(claim.rule, paper.margins) + (note === undefined ? "" : `; ${note}`) +
    (requires.length === 0
      ? ""
      : `; only if ${requires.map((name) => paper.preconditions[name]?.title ?? name).join(" and ")}`);
  return { id, title, statement, section, figure, confidence, rule, source };
}

function notComparable(claim: Claim, paper: Paper, context: JudgeContext, { why, summary }: NotExamined): Verdict {
  return {
    ...aboutOf(claim, paper),
    verdict: "not comparable",
    words: verdictWords("not comparable", ruleKind(claim.rule.kind).shows, context),
    reason: `Not comparable: ${why}.`,
    summary,
    numbers: [],
    evidence: [],
  };
}

function verdictOf(
  { claim, finding, measurements, before }: Examined,
  paper: Paper,
  context: JudgeContext,
  family?: Family,
): Verdict {
  const verdict = combine(measurements, family);
  return {
    ...aboutOf(claim, paper),
    verdict,
    words: verdictWords(verdict, ruleKind(claim.rule.kind).shows, context),
    reason: `${finding.finding}; ${explain(verdict, measurements, family)}.`,
    summary: finding.summary,
    numbers: [
      ...measurements.flatMap(numbersOf),
      ...(family === undefined || !measurements.some(({ outcome }) => outcome === "opposite") ? [] : [{
        name: `probability if the claim held, corrected for ${claimsInWords(family)}`,
        value: decimal(family.probability),
      }]),
      ...before.numbers,
    ],
    evidence: unique([...finding.evidence, ...before.evidence]),
  };
}

/** Every part must hold; a claim is contradicted only beyond what the number of claims explains. */
function combine(measurements: readonly Measurement[], family: Family | undefined): VerdictName {
  if (measurements.every(({ outcome }) => outcome === "holds")) return "reproduced";
  return family !== undefined && family.probability <= FAMILY_LEVEL ? "contradicted" : "inconclusive";
}

function explain(verdict: VerdictName, measurements: readonly Measurement[], family: Family | undefined): string {
  const open = measurements.filter(({ outcome }) => outcome !== "holds");
  const held = measurements.length - open.length;
  if (verdict === "reproduced") {
    const distance = ({ contrast, mean }: Measurement) => slack(contrast.expectation, mean);
    const nearest = measurements.reduce((a, b) => distance(b) < distance(a) ? b : a);
    return measurements.length === 1
      ? `${inBrief(nearest)}: it holds`
      : `${measurements.length === 2 ? "both" : `all ${measurements.length}`} comparisons hold, the narrowest being ` +
        inBrief(nearest);
  }
  const ratio = held === 0 ? "" : ` (${held} of ${measurements.length} comparisons hold)`;
  if (family === undefined) {
    return `no error is known, since there is one seed and not all points read have losses by document, so that nothing ` +
      `is shown: ${open.map(inBrief).join("; ")}${ratio}`;
  }
  if (verdict === "contradicted") {
    const most = open.reduce((a, b) => b.opposite < a.opposite ? b : a);
    return `this does not hold: ${inBrief(most)}, which the claim would give with a probability of at most ` +
      `${decimal(Math.max(family.probability, LEAST_STATED), 4)} among ${claimsInWords(family)}${ratio}`;
  }
  return `this stays undecided: ${open.map(inBrief).join("; ")}${ratio}`;
}

function claimsInWords({ claims }: Family): string {
  return `${claims} ${claims === 1 ? "claim" : "claims"}`;
}

/** `"2x below 1x" +1.58 %, +1.20 % to +1.96 % over 3 seeds (0.50 % or more asked)`. */
function inBrief({ contrast, mean, sources }: Measurement): string {
  const { label, unit } = contrast;
  const intervals = sources.map(({ over, count, interval }) =>
    `, ${inWords(interval.low, unit)} to ${inWords(interval.high, unit)} over ${count} ${over}`
  );
  return `"${label}" ${inWords(mean, unit)}${intervals.join("")} (${askedInWords(contrast)})`;
}

function numbersOf({ contrast, mean, sources, effectSize }: Measurement): NamedNumber[] {
  const { label, unit, values } = contrast;
  const name = `${label}, ${unit}`;
  const level = `${decimal(100 * LEVEL, 0)} % t interval`;
  return [
    { name: values.length === 1 ? name : `${name}, mean of ${values.length} seeds`, value: decimal(mean) },
    ...sources.flatMap(({ over, count, interval }) => [
      { name: `${name}, ${level} over ${count} ${over}, low`, value: decimal(interval.low) },
      { name: `${name}, ${level} over ${count} ${over}, high`, value: decimal(interval.high) },
    ]),
    ...(effectSize === undefined ? [] : [{ name: `${label}, effect size`, value: decimal(effectSize, 3) }]),
  ];
}

/** Each point once, in the order of the first reading. */
function unique(evidence: readonly Evidence[]): Evidence[] {
  const points = new Map(evidence.map((point) => [`${point.label} ${point.step} ${point.value}`, point] as const));
  return [...points.values()];
}

/** How verdicts were reached, in sentences for reports and manifests. */
export function describeCurrentMethod(seeds: number): string {
  const level = `${decimal(100 * LEVEL, 0)} %`;
  const over = seeds === 1
    ? "One seed: an interval says how far a difference may be off because validation documents are a sample, and " +
      "nothing of the noise between seeds."
    : `${seeds} seeds: differences are paired by seed and by validation document, and must hold against both.`;
  return `${over} Intervals are Student's (${level}); equivalence is two one-sided tests; a claim is contradicted only ` +
    `beyond ${decimal(100 * FAMILY_LEVEL, 0)} % for all claims together (Holm).`;
}
