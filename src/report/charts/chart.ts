/**
 * A chart as data, drawn by Observable Plot into static SVG. Each chart is drawn twice, for wide and for narrow
 * screens, so that its text keeps a readable size on a phone; the stylesheet shows one of the two.
 */
import * as Plot from "@observablehq/plot";
import type { ArmStyle } from "./legend.ts";
import { type DomElement, parseDocument } from "./document.ts";
import { plotSymbol } from "./markers.ts";
import { MAX_CLAIMS } from "../markup/limits.ts";
import { escapeHtml, html, Markup } from "../markup/markup.ts";
import { decimalsOf, ticks } from "../markup/numbers.ts";
import { type ChartSpot, drawSpots, pixels, type Place, spotInputs } from "./spots.ts";

/** A point in data coordinates. */
export type Point = readonly [x: number, y: number];

/** An axis. */
export interface ChartAxis {
  /** with the unit */
  readonly label: string;
  readonly domain: readonly [low: number, high: number];
  /** text of a tick; `decimals` tells neighbouring ticks apart */
  readonly format: (value: number, decimals: number) => string;
  /** text of a second line below each tick */
  readonly second?: (value: number) => string;
  /** where ticks stand; round values if absent */
  readonly ticks?: readonly number[];
  /** ticks are round in what this times the value is; 1 if absent */
  readonly tickFactor?: number;
}

/** A line in the look of its arm. */
export interface ChartLine {
  readonly points: readonly Point[];
  readonly style: ArmStyle;
  /** one seed among several: thin and pale */
  readonly faint?: boolean;
}

/** A marker on a line. */
export interface ChartMarker {
  readonly at: Point;
  readonly style: ArmStyle;
  /** a ring in the background's colour, for places of note */
  readonly hollow?: boolean;
}

/** A point that a claim was judged by. */
export interface ChartEvidence {
  readonly at: Point;
  /** place of the claim among those under the chart's heading, from 0 */
  readonly claim: number;
}

/** A chart in data coordinates. */
export interface Chart {
  readonly x: ChartAxis;
  readonly y: ChartAxis;
  readonly lines: readonly ChartLine[];
  readonly markers: readonly ChartMarker[];
  /** dotted vertical lines at these x */
  readonly rules: readonly number[];
  /** names written at line ends, on wide screens */
  readonly labels: readonly { readonly at: Point; readonly style: ArmStyle }[];
  /** places with a dot and a word of their own, such as where paths start */
  readonly notes: readonly { readonly at: Point; readonly text: string }[];
  /** places that answer to a pointer, to the keyboard and to touch with the values there */
  readonly spots: readonly ChartSpot[];
  /** points that show when their claim is opened */
  readonly evidence?: readonly ChartEvidence[];
  /** accessible name: what the chart shows */
  readonly title: string;
  /** accessible description: what the lines do */
  readonly description: string;
}

/** Size and furniture of one drawing. */
interface Drawing {
  readonly name: "wide" | "narrow";
  readonly width: number;
  readonly height: number;
  readonly marginLeft: number;
  readonly marginRight: number;
  readonly fontSize: number;
  readonly xTicks: number;
  readonly yTicks: number;
}

const MARGIN_TOP = 34;
const LABEL_SPACING = 15; // pixels between the baselines of neighbouring labels

const DRAWINGS: readonly Drawing[] = [
  { name: "wide", width: 560, height: 350, marginLeft: 50, marginRight: 24, fontSize: 12.5, xTicks: 6, yTicks: 6 },
  { name: "narrow", width: 320, height: 270, marginLeft: 44, marginRight: 22, fontSize: 12.5, xTicks: 3, yTicks: 5 },
];

/**
 * Both drawings of a chart, behind the radio buttons by which a keyboard walks along its values.
 *
 * @param id unique on the page; prefix of the ids inside the drawings
 */
export function drawChart(chart: Chart, id: string): Markup {
  const drawings = DRAWINGS.map((drawing) => draw(chart, drawing, `${id}-${drawing.name}`)).join("");
  return html`<div class="plots">${spotInputs(chart.spots, id, chart.title)}${new Markup(drawings)}</div>`;
}

function draw(chart: Chart, drawing: Drawing, id: string): string {
  const labels = drawing.name === "wide" ? chart.labels : [];
  const longest = Math.max(0, ...labels.map(({ style }) => style.label.length));
  const marginRight = labels.length > 0 ? 16 + Math.ceil(longest * drawing.fontSize * 0.62) : drawing.marginRight;
  const marginBottom = chart.x.second ? 62 : 46;
  const { second, tickFactor = 1 } = chart.x;
  const inTicks = chart.x.domain.map((end) => end * tickFactor) as [number, number];
  const [low, high] = second ? roomForLastTick(inTicks, drawing.xTicks) : inTicks;
  const xDomain = [low / tickFactor, high / tickFactor] as const;
  const xTicks = chart.x.ticks ?? ticks(low, high, drawing.xTicks).map((value) => value / tickFactor);
  const yTicks = ticks(...chart.y.domain, drawing.yTicks);
  const xDecimals = decimalsOf(xTicks);
  const yDecimals = decimalsOf(yTicks);
  const yLabels = yTicks.map((value) => chart.y.format(value, yDecimals).length);
  const marginLeft = Math.max(drawing.marginLeft, Math.ceil(Math.max(0, ...yLabels) * drawing.fontSize * 0.62) + 10);
  const clip = outside(chart) ? "frame" as const : null;
  const placed = spread(chart, labels, drawing.height - MARGIN_TOP - marginBottom);

  const svg = Plot.plot({
    document: parseDocument("<!doctype html><html><body></body></html>"),
    className: "plot",
    width: drawing.width,
    height: drawing.height,
    marginLeft,
    marginRight,
    marginTop: MARGIN_TOP,
    marginBottom,
    x: { domain: [...xDomain], type: "linear" },
    y: { domain: [...chart.y.domain], type: "linear" },
    marks: [
      Plot.gridY(yTicks, { stroke: "var(--rule)", strokeOpacity: 1 }),
      Plot.ruleX(chart.rules, { stroke: "var(--muted)", strokeDasharray: "1 3" }),
      Plot.axisX(xTicks, {
        label: null,
        tickFormat: (value: number) => chart.x.format(value, xDecimals),
        tickSize: 5,
      }),
      second &&
      Plot.axisX(xTicks, { label: null, tickFormat: second, tickSize: 0, tickPadding: 24, fill: "var(--muted)" }),
      Plot.axisY(yTicks, {
        label: null,
        tickFormat: (value: number) => chart.y.format(value, yDecimals),
        tickSize: 0,
        tickPadding: 8,
      }),
      Plot.ruleY([chart.y.domain[0]], { stroke: "var(--muted)" }),
      Plot.text([chart.y.label], {
        frameAnchor: "top-left",
        dx: -marginLeft,
        dy: -MARGIN_TOP + 8,
        textAnchor: "start",
        fontWeight: 600,
      }),
      Plot.text([chart.x.label], {
        frameAnchor: "bottom-right",
        dx: marginRight - 4,
        dy: marginBottom - 6,
        textAnchor: "end",
        fontWeight: 600,
      }),
      ...chart.lines.toSorted((a, b) => Number(b.faint ?? false) - Number(a.faint ?? false)).map((line) =>
        Plot.line(line.points.map(([x, y]) => [x, y] as [number, number]), {
          stroke: `var(${line.style.colour})`,
          strokeWidth: line.faint ? 1.1 : 2.1,
          strokeOpacity: line.faint ? 0.4 : 1,
          ...(line.faint || line.style.dash === "" ? {} : { strokeDasharray: line.style.dash }),
          strokeLinecap: "butt",
          clip,
        })
      ),
      Plot.dot(chart.notes.map(({ at }) => at), { x: "0", y: "1", r: 3, fill: "var(--ink)" }),
      ...chart.markers.filter(({ at }) => within(chart, at)).map(({ at, style, hollow }) =>
        Plot.dot([at], {
          x: "0",
          y: "1",
          symbol: hollow ? "circle" : plotSymbol(style.marker) as Plot.SymbolType,
          r: 5,
          fill: hollow ? "var(--card)" : `var(${style.colour})`,
          ...(hollow ? { stroke: `var(${style.colour})`, strokeWidth: 2 } : {}),
        })
      ),
      ...chart.notes.map(({ at, text }) =>
        Plot.text([at], {
          x: "0",
          y: "1",
          text: () => text,
          ...(isFarRight(chart, at) ? { dx: -9, textAnchor: "end" as const } : { dx: 9, textAnchor: "start" as const }),
          dy: 1,
          fill: "var(--muted)",
        })
      ),
      ...placed.map(({ at, style, dy }) =>
        Plot.text([at], {
          x: "0",
          y: "1",
          text: () => style.label,
          dx: 10,
          dy,
          textAnchor: "start",
          fill: `var(${style.colour})`,
          fontWeight: 600,
        })
      ),
    ],
  }) as unknown as DomElement;

  const width = drawing.width - marginLeft - marginRight;
  const height = drawing.height - MARGIN_TOP - marginBottom;
  const place: Place = ([x, y]) => [
    marginLeft + width * (x - xDomain[0]) / (xDomain[1] - xDomain[0]),
    MARGIN_TOP + height * (chart.y.domain[1] - y) / (chart.y.domain[1] - chart.y.domain[0]),
  ];
  const frame = { left: marginLeft, top: MARGIN_TOP, width, height, fontSize: drawing.fontSize };
  const evidence = (chart.evidence ?? []).filter(({ at, claim }) => within(chart, at) && claim < MAX_CLAIMS)
    .map(({ at, claim }) => {
      const [x, y] = place(at).map(pixels);
      return `<circle class="of-claim c${claim}" cx="${x}" cy="${y}" r="9"/>`;
    });
  const spots = chart.spots.map(({ dots, ...spot }) => ({ ...spot, dots: dots.filter(({ at }) => within(chart, at)) }));
  return finish(svg, chart, drawing, id, evidence.join("") + drawSpots(spots, frame, place).text);
}

/** Whether a point lies within the axes. */
function within({ x, y }: Chart, [px, py]: Point): boolean {
  return px >= x.domain[0] && px <= x.domain[1] && py >= y.domain[0] && py <= y.domain[1];
}

/** Whether words beside a point would leave the plot at its right. */
function isFarRight({ x }: Chart, [px]: Point): boolean {
  return px > x.domain[0] + 0.75 * (x.domain[1] - x.domain[0]);
}

/** Whether anything lies beyond the axes. */
function outside(chart: Chart): boolean {
  return chart.lines.some(({ points }) => points.some((point) => !within(chart, point)));
}

/** An axis that ends just short of a round value ends on it: 3M rather than 2.998M. */
function roomForLastTick(domain: readonly [number, number], count: number): readonly [number, number] {
  const [low, high] = domain;
  const last = ticks(low, high + (high - low) * 0.02, count).at(-1);
  return last !== undefined && last > high ? [low, last] : domain;
}

/** Moves labels apart that would overlap: the shift in pixels of each, kept within the plot's height. */
function spread(chart: Chart, labels: Chart["labels"], height: number) {
  const [low, high] = chart.y.domain;
  const places = labels
    .map(({ at, style }) => ({ at, style, natural: height * (high - at[1]) / (high - low) }))
    .toSorted((a, b) => a.natural - b.natural)
    .map((label) => ({ ...label, y: label.natural }));
  let floor = -Infinity;
  for (const place of places) floor = (place.y = Math.max(place.y, floor)) + LABEL_SPACING;
  let ceiling = height;
  for (const place of places.toReversed()) ceiling = (place.y = Math.min(place.y, ceiling)) - LABEL_SPACING;
  return places.map(({ at, style, natural, y }) => ({ at, style, dy: Math.round((y - natural) * 10) / 10 }));
}

/** The numbers in a text to a hundredth of a pixel. */
function roundNumbers(text: string): string {
  return text.replace(/-?\d+\.\d{3,}/g, (number) => String(Number(Number(number).toFixed(2))));
}

/** Plot's SVG made fit for the page: scalable, named for screen readers, without styles of its own. */
function finish(svg: DomElement, chart: Chart, drawing: Drawing, id: string, overlay: string): string {
  for (const style of [...svg.querySelectorAll("style")]) style.remove();
  for (const element of [...svg.querySelectorAll("[aria-label]")]) element.removeAttribute("aria-label");
  for (const element of [...svg.querySelectorAll("[aria-hidden]")]) element.removeAttribute("aria-hidden");
  for (const attribute of ["width", "height", "font-family"]) svg.removeAttribute(attribute);
  svg.setAttribute("class", `plot ${drawing.name}`);
  svg.setAttribute("font-size", String(drawing.fontSize));
  // an image hides what is in it from screen readers: links must not be hidden
  svg.setAttribute("role", chart.spots.some(({ href }) => href !== undefined) ? "group" : "img");
  svg.setAttribute("aria-labelledby", `${id}-title`);
  svg.setAttribute("aria-describedby", `${id}-description`);
  // Plot numbers its clip paths over the life of the process; the page must not depend on what was drawn before.
  const clips = new Map<string, string>();
  return svg.outerHTML
    .replace(/(?<= (?:transform|x1|x2|y1|y2|cx|cy)=")[^"]*/g, roundNumbers)
    .replace(/(?<= id="|url\(#)plot-clip-\d+/g, (name) => {
      if (!clips.has(name)) clips.set(name, `${id}-clip-${clips.size + 1}`);
      return clips.get(name) ?? name;
    })
    .replace(
      /^<svg[^>]*>/,
      (opening) =>
        `${opening}<title id="${id}-title">${escapeHtml(chart.title)}</title>` +
        `<desc id="${id}-description">${escapeHtml(chart.description)}</desc>`,
    )
    .replace(/<\/svg>$/, () => `${overlay}</svg>`);
}
