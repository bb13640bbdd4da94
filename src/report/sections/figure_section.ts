/** The figures as HTML: title, legend, both drawings, notes and the numbers behind them. */
import { type Chart, drawChart } from "../charts/chart.ts";
import {
  comesFromOutside,
  leavesAxes,
  lossChart,
  perplexityChart,
  scheduleChart,
  warmupEnds,
} from "../charts/charts.ts";
import { type FigureDefinition, figureGroups } from "./figures.ts";
import { figureData, scheduleData } from "./figure_data.ts";
import type { ReportInput } from "../input/input.ts";
import { type ArmStyle, Legend } from "../charts/legend.ts";
import { markerShape } from "../charts/markers.ts";
import { type Content, html, type Markup } from "../markup/markup.ts";
import { compact, extent, fixed, percent } from "../markup/numbers.ts";
import { seriesOf } from "../charts/series.ts";

/** All figures under their headings. */
export function figureSection(input: ReportInput): Markup {
  const legend = new Legend(input.experiments, input.arms);
  return html`<section aria-labelledby="figures">
<h2 id="figures">Figures</h2>
<p>The paper’s figures, drawn from our own curves. Losses are means over the same fixed validation windows each time, in
nats a ${input.scale.tokenUnit}; <em>upstream</em> is ${input.scale.upstreamName}, <em>downstream</em>
is ${input.scale.downstreamName}. Below each tick stands the share of T, the ${
    compact(input.scale.downstreamHorizonTokens)
  } tokens of the downstream schedule.${
    input.scale.seeds > 1 ? " Pale lines are single seeds, strong lines their mean." : null
  }</p>
${
    figureGroups(input.experiments).map((group) =>
      html`
        <section class="group" aria-labelledby="${group.id}">
          <h3 id="${group.id}">${group.title}</h3>
          <p>${group.introduction}</p>
          <div class="figures">
        ${group.figures.map((definition) => figure(definition, input, legend))}</div>
        </section>
      `
    )
  }</section>`;
}

function figure(definition: FigureDefinition, input: ReportInput, legend: Legend): Markup {
  return definition.plots.kind === "schedule"
    ? scheduleFigure(definition, input, legend)
    : curveFigure(definition, input, legend);
}

/** What the paper calls a figure, for titles. */
function provenance({ paperFigure, plots }: FigureDefinition, input: ReportInput): Markup {
  return paperFigure === undefined
    ? html`Not in the paper`
    : html`The paper’s Figure ${paperFigure}, remade; there ${input.paper.model} on ${there(plots, input)}`;
}

/** The paper's validation text in the place of ours. */
function there(plots: FigureDefinition["plots"], { paper }: ReportInput): string {
  if (plots.kind !== "loss") return `${paper.upstreamName} and ${paper.downstreamName}`;
  return plots.metric === "upstream" ? paper.upstreamName : paper.downstreamName;
}

function curveFigure(definition: FigureDefinition, input: ReportInput, legend: Legend): Markup {
  const series = seriesOf(input.arms, definition.experiments, legend).filter(({ mean }) => mean.length > 0);
  if (!series.some(({ experiment }) => experiment === definition.experiments[0])) {
    return leftOut(definition, `holds no evaluated run of the experiment “${definition.experiments[0]}”`);
  }
  const { tokenUnit } = input.scale;
  const absent = definition.experiments.filter((name) => !series.some(({ experiment }) => experiment === name));
  const isOwnHorizon = definition.horizon === "run";
  let chart: Chart;
  const notes: Content[] = [definition.note];
  if (definition.plots.kind === "loss") {
    const { metric } = definition.plots;
    const [, tokens] = extent(series.flatMap(({ mean }) => mean.map((point) => point.tokens)));
    chart = lossChart(series, metric, isOwnHorizon ? tokens : input.scale.downstreamHorizonTokens, {
      title: `${definition.title}${definition.paperFigure ? ` (Figure ${definition.paperFigure})` : ""}`,
      xLabel: "tokens trained, and share of T",
      yLabel: `${metric} loss (nats a ${tokenUnit})`,
    });
    const ends = warmupEnds(series);
    if (ends.length > 0) {
      notes.push(
        `Dotted ${ends.length > 1 ? "lines" : "line"}: end of the warm-up${
          isOwnHorizon ? "" : ` (${ends.map((end) => percent(end / input.scale.downstreamHorizonTokens)).join(", ")})`
        }.`,
      );
    }
    for (const one of series) {
      const highest = leavesAxes(series, one, metric);
      if (highest !== undefined) {
        notes.push(`“${one.style.label}” leaves the axis at the top; its highest value is ${fixed(highest, 3)}.`);
      }
    }
  } else {
    chart = perplexityChart(series, {
      title: `${definition.title} (Figure ${definition.paperFigure})`,
      xLabel: "downstream perplexity",
      yLabel: "upstream perplexity",
    });
    notes.push("Perplexity is e to the loss.");
    for (const one of series.filter((one) => comesFromOutside(series, one))) {
      notes.push(`The path of “${one.style.label}” comes from far outside the axes.`);
    }
  }
  for (const one of series) {
    if (one.divergedAt !== undefined) notes.push(`“${one.style.label}” diverged at step ${one.divergedAt}.`);
  }
  if (absent.length > 0) notes.push(`Without “${absent.join("”, “")}”, which this report holds no run of.`);
  return frame(
    definition,
    input,
    chart,
    series.map(({ style }) => style),
    notes,
    figureData(definition, series, input),
  );
}

function scheduleFigure(definition: FigureDefinition, input: ReportInput, legend: Legend): Markup {
  const wanted = input.schedules.filter(({ experiment, sampled }) =>
    definition.experiments.includes(experiment) && sampled.length > 1
  );
  if (wanted.length === 0) return leftOut(definition, "holds no schedule");
  const schedules = wanted.map(({ experiment, arm, sampled }, index) => ({
    experiment,
    arm,
    sampled,
    style: legend.style(experiment, arm, index, true),
  }));
  const chart = scheduleChart(schedules, input.scale.downstreamHorizonTokens, {
    title: definition.title,
    xLabel: "tokens trained, and share of T",
    yLabel: "learning rate",
  });
  return frame(
    definition,
    input,
    chart,
    schedules.map(({ style }) => style),
    [definition.note],
    scheduleData(definition, schedules, input.scale.downstreamHorizonTokens),
  );
}

function frame(
  definition: FigureDefinition,
  input: ReportInput,
  chart: Chart,
  styles: readonly ArmStyle[],
  notes: readonly Content[],
  data: Markup,
): Markup {
  return html`
    <figure id="${definition.id}" class="card">
    <figcaption>
    <h4>${definition.title}</h4>
    <p class="quiet">${provenance(definition, input)}.</p>
    </figcaption>
    <ul class="legend" aria-label="Legend">${styles.map(legendEntry)}</ul>
    ${drawChart(chart, definition.id)}
    <p class="note">${notes.filter((note) => note !== undefined).map((note, i) => [i > 0 ? " " : null, note])}</p>
    ${data}
    </figure>
  `;
}

function legendEntry({ label, colour, dash, marker }: ArmStyle): Markup {
  return html`<li><svg viewBox="0 0 34 14" width="34" height="14" aria-hidden="true" class="swatch ${
    colour.slice(2)
  }"><path d="M0,7H34"${
    dash === "" ? null : html`
      stroke-dasharray="${dash}"
    `
  }/>${markerShape(marker, 17, 7)}</svg>${label}</li>`;
}

function leftOut({ id, title, paperFigure }: FigureDefinition, why: string): Markup {
  return html`
    <p id="${id}"
      class="left-out"><strong>${title}</strong>${paperFigure === undefined
        ? null
        : ` (the paper’s Figure ${paperFigure})`} is left out: this report ${why}. Plan the whole matrix to see it, without <code>--only</code>.</p>
  `;
}
