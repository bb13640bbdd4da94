/** What every figure has around its chart: title, legend, notes, claims, and the numbers behind it. */
import type { ArmStyle, Legend } from "../charts/legend.ts";
import { markerShape } from "../charts/markers.ts";
import type { ReportInput } from "../input/input.ts";
import type { Anchors } from "../markup/anchors.ts";
import { type Content, html, type Markup } from "../markup/markup.ts";
import { claimDetails } from "./claim_details.ts";
import type { ClaimPlaces } from "./claim_places.ts";
import type { FigureDefinition } from "./figures.ts";
import { cannotShow } from "./figure_notes.ts";

/** A figure to be, and what it may need. */
export interface FigureContext {
  readonly definition: FigureDefinition;
  readonly input: ReportInput;
  readonly legend: Legend;
  readonly anchors: Anchors;
  readonly places: ClaimPlaces;
  /** the heading that it stands under */
  readonly groupId: string;
}

/** What a figure is filled with. */
export interface FigureContent {
  /** what is drawn */
  readonly chart: Markup;
  readonly styles: readonly ArmStyle[];
  /** sentences under the chart */
  readonly notes: readonly Content[];
  /** it takes the whole width of the page */
  readonly isWide?: boolean;
  /** folded tables and charts */
  readonly data: Markup;
}

/** The figure as HTML. */
export function figureFrame(
  context: FigureContext,
  { chart, styles, isWide, notes, data }: FigureContent,
): Markup {
  const { definition, input } = context;
  const said = notes.filter((note) => note !== undefined);
  return html`<figure id="${definition.id}" class="card${isWide ? " whole" : null}">
<figcaption>
<h4>${definition.title}</h4>
<p class="quiet">${provenance(definition, input)}.</p>
</figcaption>
${legendList(styles)}
${chart}
${said.length === 0 ? null : html`<p class="note">${said.map((note, i) => [i > 0 ? " " : null, note])}</p>`}
${foldedClaims(context)}
    ${data}
</figure>`;
}

/** The looks of the lines by their names. */
export function legendList(styles: readonly ArmStyle[]): Markup {
  return html`<ul class="legend" aria-label="Legend">${styles.map(legendEntry)}</ul>`;
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

/**
 * In the place of a figure that cannot be drawn; the claims that it would hold are there all the same.
 *
 * @param isPlanned its arms were planned, so that planning more does not bring it
 */
export function leftOut(context: FigureContext, why: string, isPlanned = false): Markup {
  const { id, title, paperFigure } = context.definition;
  return html`<div><p id="${id}" class="left-out"><strong>${title}</strong>${
    paperFigure === undefined ? null : ` (the paper’s Figure ${paperFigure})`
  } is left out: this report ${why}.${
    isPlanned ? null : html`
      Plan the whole matrix to see it, without <code>--only</code>.
    `
  }</p>${foldedClaims(context)}</div>`;
}

/** The claims of a figure, after what of them cannot be seen. */
function foldedClaims({ definition, places, anchors }: FigureContext): Markup | null {
  const claims = places.byFigure.get(definition.id) ?? [];
  if (claims.length === 0) return null;
  return html`${cannotShow(claims.map(({ verdict }) => verdict))}<div class="folded-claims">${
    claims.map(({ verdict, index }) => claimDetails(verdict, anchors, index))
  }</div>`;
}

/** How many tokens of the paper one of ours stands for in a figure. */
export function paperTokensIn({ horizon }: FigureDefinition, { scale, paper }: ReportInput): number {
  if (horizon === "downstream") return paper.downstreamHorizonTokens / scale.downstreamHorizonTokens;
  return "tokens" in scale.pretraining ? paper.pretrainingTokens / scale.pretraining.tokens : 1;
}

/** Label of an axis of tokens, by how many tokens of the paper one of ours stands for. */
export function tokensLabel(paperTokens: number): string {
  return paperTokens === 1 ? "tokens trained" : "tokens: the paper’s, and below them ours";
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
