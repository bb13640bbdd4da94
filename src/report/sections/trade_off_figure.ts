/** The figures on replay: forgetting against adaptation in panels, and what replay removes, dose by dose. */
import { drawChart } from "../charts/chart.ts";
import {
  doseChart,
  doseSeries,
  doseStyles,
  type MixPanel,
  ownPanels,
  publishedPanel,
  removedInWords,
  replayShares,
  replayStyles,
  share,
  signed,
  tradeOffChart,
  type TradeOffPanel,
} from "../charts/trade_off.ts";
import type { Figure } from "../../results/figure_schema.ts";
import type { Anchors } from "../markup/anchors.ts";
import { html, type Markup } from "../markup/markup.ts";
import { compact } from "../markup/numbers.ts";
import { table } from "../markup/table.ts";
import { type FigureContext, figureFrame, leftOut } from "./figure_frame.ts";

/** Plots of arms by what they differ in. */
export type ReplayPlot = Extract<Figure["plots"], { readonly kind: "trade-off" | "dose-response" }>;

/** A figure on replay. */
export function replayFigure(context: FigureContext, plots: ReplayPlot): Markup {
  const { definition, input } = context;
  const arms = input.arms.filter(({ experiment }) => definition.experiments.includes(experiment));
  const { downstreamHorizonTokens } = input.scale;
  const tokens = plots.at / input.paper.downstreamHorizonTokens * downstreamHorizonTokens;
  const own = ownPanels(arms, tokens, downstreamHorizonTokens);
  if (own.length === 0) {
    return leftOut(
      context,
      "holds no arms that differ in replay or learning rate alone, beside one at 1× without replay",
    );
  }
  const published = plots.published.map(publishedPanel);
  const where = `Read at ${compact(plots.at)} of the paper’s tokens.`;
  return plots.kind === "trade-off"
    ? tradeOff(context, own, published, where)
    : doseResponse(context, own, published, where);
}

function linker(anchors: Anchors): (runKey: string) => string | undefined {
  return (runKey) => {
    const anchor = anchors.of(runKey);
    return anchor === undefined ? undefined : `#${anchor}`;
  };
}

function tradeOff(
  context: FigureContext,
  own: readonly MixPanel[],
  published: readonly MixPanel[],
  where: string,
): Markup {
  const { definition, anchors } = context;
  const styles = replayStyles([...own, ...published]);
  const link = linker(anchors);
  const panels = own.map((panel, index) => {
    const beside = published.filter(({ mix }) => mix === panel.mix);
    const chart = tradeOffChart(panel, beside, styles, `${definition.title}: ${panel.title}`, link);
    const rings = beside.length === 0
      ? null
      : html`<p class="note">Rings: ${
        beside.map(({ title, source }, i) => `${i > 0 ? "; " : ""}${title} (${source})`)
      }.</p>`;
    return html`<div class="panel"><h5>${panel.title}</h5>${
      drawChart(chart, `${definition.id}-panel-${index}`)
    }${rings}</div>`;
  });
  return figureFrame(context, {
    chart: html`<div class="panels">${panels}</div>`,
    styles: [...styles.values()],
    isWide: true,
    notes: [
      definition.note,
      where,
      "Each line is a share of replay, with the maximum learning rates along it; down is less forgotten, left is more " +
      "learned. Every point leads to its run.",
    ],
    data: numbers(definition.id, definition.title, [...own, ...published], anchors),
  });
}

function doseResponse(
  context: FigureContext,
  own: readonly MixPanel[],
  published: readonly MixPanel[],
  where: string,
): Markup {
  const { definition, anchors } = context;
  const ours = doseSeries(own);
  const { series, without } = doseSeries([...own, ...published]);
  const nothing = without.length === 0
    ? undefined
    : `Nothing is forgotten without replay in ${
      without.map((title) => `“${title}”`).join(", ")
    }, so that replay has nothing to remove there`;
  if (ours.series.length === 0) {
    return nothing === undefined
      ? leftOut(context, "holds no arm without replay beside one with it")
      : leftOut(context, `has nothing to draw. ${nothing}`, true);
  }
  const styles = doseStyles(series);
  const chart = doseChart(series, styles, definition.title, linker(anchors));
  return figureFrame(context, {
    chart: drawChart(chart, definition.id),
    styles,
    notes: [definition.note, where, "At 1×. Rings on dotted lines are another study’s.", nothing && `${nothing}.`],
    data: html`<details>
<summary>Numbers of this figure</summary>
${
      table({
        id: `${definition.id}-data`,
        caption: `${definition.title}: share of forgetting removed`,
        columns: [{ head: "Replay" }, ...series.map(({ title }) => ({ head: title, numeric: true }))],
        rows: replayShares(series.flatMap(({ doses }) => doses)).map((replay) => ({
          cells: [
            share(replay),
            ...series.map(({ doses }) => {
              const dose = doses.find((one) => one.replay === replay);
              return dose === undefined ? "–" : removedInWords(dose.removed);
            }),
          ],
        })),
      })
    }</details>`,
  });
}

function numbers(id: string, title: string, panels: readonly TradeOffPanel[], anchors: Anchors): Markup {
  return html`<details>
<summary>Numbers of this figure</summary>
${
    table({
      id: `${id}-data`,
      caption: `${title}: upstream loss against the start, downstream loss against 1× without replay`,
      columns: [
        { head: "Shift" },
        { head: "Arm" },
        { head: "Upstream", numeric: true },
        { head: "Downstream", numeric: true },
        { head: "Run" },
      ],
      rows: panels.flatMap(({ title, points, source }) =>
        points.map(({ name, forgotten, behind, run }) => ({
          cells: [
            title,
            name,
            signed(forgotten),
            signed(behind),
            run === undefined ? source ?? "" : anchors.link(run.label, run.runKey),
          ],
        }))
      ),
    })
  }</details>`;
}
