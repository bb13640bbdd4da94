/** The numbers behind a figure as a table, folded away under it. */
import type { ArmStyle } from "../charts/legend.ts";
import type { FigureDefinition } from "./figures.ts";
import type { ReportInput } from "../input/input.ts";
import { Anchors } from "../markup/anchors.ts";
import { html, join, type Markup } from "../markup/markup.ts";
import { fixed, grouped, percent, rate } from "../markup/numbers.ts";
import { perplexity, type Series, type SeriesPoint } from "../charts/series.ts";
import { thin } from "../charts/simplify.ts";
import { type Column, table } from "../markup/table.ts";

const MOST_ROWS = 24;

/** The folded table, its rows thinned out to a readable number, with links to the runs it was made of. */
export function figureData(definition: FigureDefinition, series: readonly Series[], input: ReportInput): Markup {
  const { plots } = definition;
  const byPlace = series.map(({ mean }) => new Map(mean.map((point) => [point.tokens, point])));
  const places = [...new Set(series.flatMap(({ mean }) => mean.map(({ tokens }) => tokens)))].sort((a, b) => a - b);
  const rows = thin(places, MOST_ROWS);
  const value = (point: SeriesPoint | undefined): string[] => {
    if (plots.kind === "loss") return [fixed(point?.[plots.metric], 4)];
    return (["downstream", "upstream"] as const).map((metric) => fixed(point && perplexity(point[metric]), 3));
  };
  const columns: Column[] = series.flatMap(({ style }) =>
    plots.kind === "loss"
      ? [{ head: style.label, numeric: true }]
      : ["downstream", "upstream"].map((metric) => ({ head: `${style.label}, ${metric}`, numeric: true }))
  );
  const anchors = new Anchors(input.runs);
  const runs = series.flatMap(({ members }) => members.map(({ label, runKey }) => anchors.link(label, runKey)));
  const several = series.some(({ seeds }) => seeds.length > 1);
  return html`<details>
<summary>Numbers of this figure</summary>
${
    table({
      id: `${definition.id}-data`,
      caption: html`${definition.title}: ${
        plots.kind === "loss" ? `${plots.metric} loss in nats a ${input.scale.tokenUnit}` : "perplexities"
      }${several ? ", mean over seeds" : null}${
        rows.length < places.length ? `; ${rows.length} of ${places.length} evaluations` : null
      }`,
      columns: [{ head: "Tokens", numeric: true }, ...columns],
      rows: rows.map((tokens) => ({
        cells: [
          html`${grouped(tokens)}${
            definition.horizon === "run" ? null : html`
              <span class="quiet">${percent(tokens / input.scale.downstreamHorizonTokens)}</span>
            `
          }`,
          ...byPlace.flatMap((points) => value(points.get(tokens))),
        ],
      })),
    })
  }
<p class="note">All evaluations are in <code>curves.json</code> of the runs: ${join(runs, ", ")}.</p>
</details>`;
}

/** Shares of T at which schedules are tabled: dense where warm-ups end, then in tenths. */
const SCHEDULE_SHARES = [0, 0.0025, 0.005, 0.01, 0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

/** The folded table under the schedules: the sampled rate nearest to each share. */
export function scheduleData(
  definition: FigureDefinition,
  schedules: readonly { readonly style: ArmStyle; readonly sampled: Float32Array }[],
  horizonTokens: number,
): Markup {
  return html`<details>
<summary>Numbers of this figure</summary>
${
    table({
      id: `${definition.id}-data`,
      caption: `${definition.title}: learning rates at shares of T`,
      columns: [
        { head: "Tokens", numeric: true },
        ...schedules.map(({ style }) => ({ head: style.label, numeric: true })),
      ],
      rows: SCHEDULE_SHARES.map((share) => ({
        cells: [
          html`${grouped(share * horizonTokens)} <span class="quiet">${percent(share)}</span>`,
          ...schedules.map(({ sampled }) => rate(sampled[Math.round(share * (sampled.length - 1))] ?? NaN)),
        ],
      })),
    })
  }
</details>`;
}
