/** Losses by domain of a validation set that has several: one mean hides that one domain is forgotten and another learned. */
import { drawChart } from "../charts/chart.ts";
import { lossChart } from "../charts/charts.ts";
import type { Metric, Series, SeriesPoint } from "../charts/series.ts";
import type { ReportArm, ReportInput } from "../input/input.ts";
import { html, type Markup } from "../markup/markup.ts";
import { percent } from "../markup/numbers.ts";
import { legendList, paperTokensIn, tokensLabel } from "./figure_frame.ts";
import type { FigureDefinition } from "./figures.ts";

/** The largest domains that are drawn. */
const MOST_DOMAINS = 8;

/** A small chart a domain, folded; nothing where the loss has one domain or none is recorded. */
export function domainCurves(
  definition: FigureDefinition,
  series: readonly Series[],
  input: ReportInput,
): Markup | null {
  if (definition.plots.kind !== "loss") return null;
  const { metric } = definition.plots;
  const domains = domainsOf(series, metric);
  if (domains.length < 2) return null;
  const drawn = domains.slice(0, MOST_DOMAINS);
  const paperTokens = paperTokensIn(definition, input);
  return html`<details class="domains">
<summary>By domain: ${drawn.map(({ name }, i) => `${i > 0 ? ", " : ""}${name}`)}</summary>
${legendList(series.map(({ style }) => style))}
${
    drawn.map(({ name, weight }, index) => {
      const ofDomain = series.map((one) => seriesOfDomain(one, metric, name)).filter(({ mean }) => mean.length > 0);
      const title = `${definition.title}: domain ${name}`;
      return html`<p class="note"><strong>${name}</strong>, ${percent(weight)} of the windows</p>
${
        ofDomain.length === 0 ? html`<p class="note">No window of it was evaluated.</p>` : drawChart(
          lossChart(ofDomain, metric, paperTokens, {
            title,
            xLabel: tokensLabel(paperTokens),
            yLabel: `${metric} loss on ${name} (nats a ${input.scale.tokenUnit})`,
          }),
          `${definition.id}-domain-${index}`,
        )
      }`;
    })
  }
${
    drawn.length === domains.length
      ? null
      : html`<p class="note">The ${drawn.length} largest of ${domains.length} domains; <code>curves.json</code> has all.</p>`
  }
</details>`;
}

/** Domains of the metric's validation set, the largest first; sets of other corpora, as mixes are, add theirs. */
function domainsOf(series: readonly Series[], metric: Metric): { readonly name: string; readonly weight: number }[] {
  const weights = new Map<string, number>();
  for (const { curves } of series.flatMap(({ members }) => members)) {
    if (!curves.points.some(({ domains }) => domains !== undefined)) continue;
    for (const { name, weight } of curves.validation?.[metric].domains ?? []) {
      weights.set(name, Math.max(weights.get(name) ?? 0, weight));
    }
  }
  return [...weights].map(([name, weight]) => ({ name, weight })).sort((a, b) =>
    b.weight - a.weight || (a.name < b.name ? -1 : 1)
  );
}

/** The series with the domain's loss in the metric's place. */
function seriesOfDomain(series: Series, metric: Metric, name: string): Series {
  const lookups = series.members.map((member) => lossesOf(member, metric, name));
  const seeds = series.seeds.map((points, seed) => points.flatMap((point) => withLoss(point, metric, [lookups[seed]])));
  const mean = series.mean.flatMap((point) => withLoss(point, metric, lookups));
  return { ...series, seeds, mean };
}

function lossesOf({ curves, steps }: ReportArm, metric: Metric, name: string): ReadonlyMap<number, number> {
  const index = curves.validation?.[metric].domains.findIndex((domain) => domain.name === name) ?? -1;
  return new Map(curves.points.flatMap(({ step, domains }) => {
    const loss = domains?.[metric][index];
    return step > steps || loss === undefined || loss === null || !Number.isFinite(loss) ? [] : [[step, loss] as const];
  }));
}

/** The point with the mean of the losses at its step; none where one is missing. */
function withLoss(
  point: SeriesPoint,
  metric: Metric,
  lookups: readonly (ReadonlyMap<number, number> | undefined)[],
): SeriesPoint[] {
  const losses = lookups.map((lookup) => lookup?.get(point.step));
  if (losses.length === 0 || !losses.every((loss) => loss !== undefined)) return [];
  return [{ ...point, [metric]: losses.reduce((sum, loss) => sum + loss, 0) / losses.length }];
}
