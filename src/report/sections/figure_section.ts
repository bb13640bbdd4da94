/** The figures, each with the claims that were judged by it folded underneath. */
import { lossChart, perplexityChart, scheduleChart } from "../charts/charts.ts";
import { type ChartEvidence, drawChart } from "../charts/chart.ts";
import type { FigureGroup } from "./figures.ts";
import { figureData, scheduleData } from "./figure_data.ts";
import { type FigureContext, figureFrame, leftOut, paperTokensIn, tokensLabel } from "./figure_frame.ts";
import { curveNotes } from "./figure_notes.ts";
import { domainCurves } from "./domain_curves.ts";
import { armsOf, type ClaimPlaces, evidenceIn } from "./claim_places.ts";
import type { ReportInput } from "../input/input.ts";
import { Legend } from "../charts/legend.ts";
import type { Anchors } from "../markup/anchors.ts";
import { html, type Markup } from "../markup/markup.ts";
import { replayFigure } from "./trade_off_figure.ts";
import { perplexity, seriesOf } from "../charts/series.ts";

/** All figures under their headings. */
export function figureSection(
  input: ReportInput,
  groups: readonly FigureGroup[],
  places: ClaimPlaces,
  anchors: Anchors,
): Markup {
  const legend = new Legend(input.experiments, input.arms);
  return html`<section aria-labelledby="figures">
<h2 id="figures" class="first">Figures</h2>
<p>From our own curves. Losses are nats a ${input.scale.tokenUnit} on the same validation windows each time:
<em>upstream</em> is ${input.scale.upstreamName}, <em>downstream</em> is ${input.scale.downstreamName}.${
    input.scale.seeds > 1 ? " Pale lines are single seeds, strong lines their mean." : null
  }${
    input.arms.some(({ curves }) => curves.points.some(({ documents }) => documents !== undefined))
      ? " Lines go through a fixed sample of the windows; claims, and what is said to be forgotten, read all of them where " +
        "they look, and may differ from a line by that."
      : null
  } Point at a chart, touch it, or walk along it with the arrow keys to read its values; unfold a claim to see the points that
it was judged by ringed.</p>
${
    groups.map((group) =>
      html`
        <section class="group" aria-labelledby="${group.id}">
          <h3 id="${group.id}">${group.title}</h3>
          <p>${group.introduction}</p>
          <div class="figures">${group.figures.map((definition) =>
            figure({ definition, input, legend, anchors, groupId: group.id, places })
          )}</div>
        </section>
      `
    )
  }</section>`;
}

function figure(context: FigureContext): Markup {
  const { plots } = context.definition;
  switch (plots.kind) {
    case "schedule":
      return scheduleFigure(context);
    case "trade-off":
    case "dose-response":
      return replayFigure(context, plots);
    default:
      return curveFigure(context);
  }
}

function curveFigure(context: FigureContext): Markup {
  const { definition, input, legend } = context;
  const { plots } = definition;
  const series = seriesOf(input.arms, definition.experiments, legend).filter(({ mean }) => mean.length > 0);
  if (!series.some(({ experiment }) => experiment === definition.experiments[0])) {
    return leftOut(context, `holds no evaluated run of the experiment “${definition.experiments[0]}”`);
  }
  const paperTokens = paperTokensIn(definition, input);
  const number = definition.paperFigure ? ` (Figure ${definition.paperFigure})` : "";
  const words = { title: `${definition.title}${number}` };
  const chart = plots.kind === "loss"
    ? lossChart(series, plots.metric, paperTokens, {
      ...words,
      xLabel: tokensLabel(paperTokens),
      yLabel: `${plots.metric} loss (nats a ${input.scale.tokenUnit})`,
    })
    : perplexityChart(series, paperTokens, {
      ...words,
      xLabel: "downstream perplexity",
      yLabel: "upstream perplexity",
    });
  const { metric } = plots.kind === "loss" ? plots : { metric: undefined };
  return figureFrame(context, {
    chart: drawChart({ ...chart, evidence: ringed(context, metric) }, definition.id),
    styles: series.map(({ style }) => style),
    notes: [definition.note, ...curveNotes(definition, series, input)],
    data: html`${domainCurves(definition, series, input)}${figureData(definition, series, input)}`,
  });
}

/** The points of claims under the same heading that this figure shows. */
function ringed(
  { definition, input, places, groupId }: FigureContext,
  metric?: "upstream" | "downstream",
): ChartEvidence[] {
  return evidenceIn(
    definition,
    armsOf(input, definition),
    places.byGroup.get(groupId) ?? [],
    (point) =>
      metric === undefined ? [perplexity(point.downstream), perplexity(point.upstream)] : [point.tokens, point[metric]],
  );
}

function scheduleFigure(context: FigureContext): Markup {
  const { definition, input, legend } = context;
  const wanted = input.schedules.filter(({ experiment, sampled }) =>
    definition.experiments.includes(experiment) && sampled.length > 1
  );
  if (wanted.length === 0) return leftOut(context, "holds no schedule");
  const schedules = wanted.map(({ experiment, arm, sampled }, index) => ({
    experiment,
    arm,
    sampled,
    style: legend.style(experiment, arm, index, true),
  }));
  const { downstreamHorizonTokens } = input.scale;
  const paperTokens = paperTokensIn(definition, input);
  const chart = scheduleChart(schedules, downstreamHorizonTokens, paperTokens, {
    title: definition.title,
    xLabel: tokensLabel(paperTokens),
    yLabel: "learning rate",
  });
  return figureFrame(context, {
    chart: drawChart(chart, definition.id),
    styles: schedules.map(({ style }) => style),
    notes: [definition.note],
    data: scheduleData(definition, schedules, downstreamHorizonTokens),
  });
}
