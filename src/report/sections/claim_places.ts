/** Under which figure each claim stands: the one that shows most of what it was judged by. */
import type { Verdict } from "../../results/claims.ts";
import type { Evidence } from "../../results/rules/assessment.ts";
import type { ChartEvidence } from "../charts/chart.ts";
import type { Metric } from "../charts/series.ts";
import type { ReportArm, ReportInput } from "../input/input.ts";
import type { FigureDefinition, FigureGroup } from "./figures.ts";

/** A claim under a figure, with its place among all claims under the figure's heading. */
export interface PlacedClaim {
  readonly verdict: Verdict;
  /** from 0 */
  readonly index: number;
}

/** All claims by where they stand. */
export interface ClaimPlaces {
  /** by the figure's id */
  readonly byFigure: ReadonlyMap<string, readonly PlacedClaim[]>;
  /** by the group's id: all claims under its figures, in their order */
  readonly byGroup: ReadonlyMap<string, readonly PlacedClaim[]>;
  /** claims that no figure shows anything of */
  readonly others: readonly Verdict[];
}

/** Places the claims. */
export function placeClaims(input: ReportInput, groups: readonly FigureGroup[]): ClaimPlaces {
  const byFigure = new Map<string, PlacedClaim[]>();
  const byGroup = new Map<string, PlacedClaim[]>();
  const others: Verdict[] = [];
  const candidates = groups.flatMap((group) =>
    group.figures.map((figure) => ({ group, figure, runs: new Set(armsOf(input, figure).map(({ runKey }) => runKey)) }))
  ).filter(({ runs }) => runs.size > 0);
  for (const verdict of input.verdicts) {
    const own = input.experiments.find(({ claims }) => claims.some(({ id }) => id === verdict.id));
    const rule = own?.claims.find(({ id }) => id === verdict.id)?.rule.kind;
    const numbers = verdict.figure.split(/[\s,;]+/);
    const rated = candidates.map((candidate) => {
      const { figure, group, runs } = candidate;
      const shown = verdict.evidence.filter((item) => runs.has(item.runKey) && shows(figure, metricOf(item))).length;
      const isNamed = verdict.source === undefined && numbers.includes(String(figure.paperFigure));
      return {
        candidate,
        rating: (isNamed ? 2 : 0) + (group.id === own?.name ? 1 : 0) +
          (figure.plots.kind === rule ? 2 : 0) + shown / (1 + verdict.evidence.length),
      };
    });
    const best = rated.reduce<typeof rated[number] | undefined>(
      (best, next) => next.rating > (best?.rating ?? 0) ? next : best,
      undefined,
    )?.candidate;
    if (best === undefined) {
      others.push(verdict);
      continue;
    }
    const ofGroup = byGroup.get(best.group.id) ?? [];
    const placed = { verdict, index: ofGroup.length };
    byGroup.set(best.group.id, [...ofGroup, placed]);
    byFigure.set(best.figure.id, [...byFigure.get(best.figure.id) ?? [], placed]);
  }
  return { byFigure, byGroup, others };
}

/** The arms whose losses a figure shows. */
export function armsOf({ arms }: ReportInput, { experiments, plots }: FigureDefinition): ReportArm[] {
  if (plots.kind === "schedule") return [];
  return arms.filter(({ experiment }) => experiments.includes(experiment));
}

/** The points that claims were judged by, as far as a figure shows them. */
export function evidenceIn(
  figure: FigureDefinition,
  arms: readonly ReportArm[],
  claims: readonly PlacedClaim[],
  place: (
    point: { readonly tokens: number; readonly upstream: number; readonly downstream: number },
  ) => ChartEvidence["at"],
): ChartEvidence[] {
  const curves = new Map(arms.map(({ runKey, curves }) => [runKey, curves]));
  return claims.flatMap(({ verdict, index }) => {
    const seen = new Set<string>();
    return verdict.evidence.flatMap((item): ChartEvidence[] => {
      const point = curves.get(item.runKey)?.points.find(({ step }) => step === item.step);
      if (point === undefined || !shows(figure, metricOf(item))) return [];
      const at = place(point);
      if (seen.has(at.join()) || !at.every(Number.isFinite)) return [];
      seen.add(at.join());
      return [{ at, claim: index }];
    });
  });
}

/** The loss that a point is of; undefined where its label does not say. */
function metricOf({ label }: Evidence): Metric | undefined {
  return /: (upstream|downstream) loss/.exec(label)?.[1] as Metric | undefined;
}

function shows({ plots }: FigureDefinition, metric: Metric | undefined): boolean {
  if (plots.kind === "loss") return metric === undefined || plots.metric === metric;
  return plots.kind === "perplexity";
}
