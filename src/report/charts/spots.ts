/**
 * Places of a chart that answer with their values: to a pointer, to a finger, and to the keyboard, whose arrow keys walk
 * along radio buttons with the values as names. All by the stylesheet, without a script: a page that others made asks
 * its reader to run nothing, and works where scripts are forbidden, as in the frame of the verifier's page.
 */
import type { Point } from "./chart.ts";
import type { ArmStyle } from "./legend.ts";
import { MAX_SPOTS } from "../markup/limits.ts";
// by another name, so that the formatter leaves it on its lines: blanks show in an SVG’s text
import { html as piece, type Markup } from "../markup/markup.ts";
import { trimmed } from "../markup/numbers.ts";

/** A place with values. */
export interface ChartSpot {
  /** where it is: `50B of the paper’s tokens, 362K here` */
  readonly title: string;
  /** what is there, a line each */
  readonly values: readonly { readonly style: ArmStyle; readonly text: string }[];
  /** the points that are read */
  readonly dots: readonly { readonly at: Point; readonly style: ArmStyle }[];
  /** an upright band around this x answers; without it, the points themselves do */
  readonly x?: number;
  /** what is opened by choosing it */
  readonly href?: string | undefined;
}

/** From data to pixels. */
export type Place = (at: Point) => readonly [x: number, y: number];

/** The plot inside a drawing, in pixels. */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly fontSize: number;
}

/** A coordinate to a tenth of a pixel. */
export function pixels(value: number): string {
  return trimmed(value, 1);
}

/** The radio buttons of a chart: none of the values, then each place. */
export function spotInputs(spots: readonly ChartSpot[], id: string, title: string): Markup | null {
  if (spots.length === 0) return null;
  const input = (name: string, isFirst: boolean) =>
    piece`<input type="radio" name="${id}-values" aria-label="${name}"${isFirst ? piece` checked` : null}>`;
  return piece`<div class="steps" role="radiogroup" aria-label="Values of “${title}”; arrow keys walk along them">${
    input("no values shown", true)
  }${
    spots.map(({ title, values }) =>
      input(`${title}: ${values.map(({ style, text }) => `${style.label} ${text}`).join("; ")}`, false)
    )
  }</div>`;
}

/** The places of one drawing. */
export function drawSpots(spots: readonly ChartSpot[], frame: Frame, place: Place): Markup {
  if (spots.length > MAX_SPOTS) throw new Error(`${spots.length} places of a chart, ${MAX_SPOTS} at most`);
  const columns = spots.map(({ x }) => x === undefined ? undefined : place([x, 0])[0]);
  return piece`<g class="spots" text-anchor="start">${
    spots.map((spot, index) => {
      const column = columns[index];
      const target = column === undefined
        ? spot.dots.map(({ at }) => catcher(place(at)))
        : band(column, columns[index - 1], columns[index + 1], frame);
      const rule = column === undefined ? null : piece`<path d="M${pixels(column)},${frame.top}v${frame.height}"/>`;
      const dots = spot.dots.map(({ at, style }) => dot(place(at), style));
      const inside = piece`${target}<g class="readout">${rule}${dots}${box(spot, frame, column, place)}</g>`;
      return spot.href === undefined
        ? piece`<g class="spot" tabindex="-1">${inside}</g>`
        : piece`<a class="spot" href="${spot.href}" aria-label="${spot.title}">${inside}</a>`;
    })
  }</g>`;
}

function band(x: number, before: number | undefined, after: number | undefined, frame: Frame): Markup {
  const left = before === undefined ? frame.left : (before + x) / 2;
  const right = after === undefined ? frame.left + frame.width : (x + after) / 2;
  const width = pixels(Math.max(0.1, right - left));
  return piece`<rect class="catch" x="${pixels(left)}" y="${frame.top}" width="${width}" height="${frame.height}"/>`;
}

function catcher([x, y]: readonly [number, number]): Markup {
  return piece`<circle class="catch" cx="${pixels(x)}" cy="${pixels(y)}" r="10"/>`;
}

function dot([x, y]: readonly [number, number], { colour }: ArmStyle): Markup {
  return piece`<circle cx="${pixels(x)}" cy="${pixels(y)}" r="4.5" fill="var(${colour})"/>`;
}

/** The box with the values, on the side where there is room. */
function box({ title, values, dots }: ChartSpot, frame: Frame, column: number | undefined, place: Place): Markup {
  const line = frame.fontSize + 3;
  const lengths = [title.length * 1.06, ...values.map(({ style, text }) => style.label.length + text.length + 3)];
  const width = Math.min(Math.max(...lengths) * frame.fontSize * 0.56 + 14, frame.left + frame.width);
  const height = (values.length + 1) * line + 10;
  const at = dots[0] === undefined ? undefined : place(dots[0].at);
  const x = column ?? at?.[0] ?? frame.left;
  const wanted = x > frame.left + frame.width / 2 ? x - width - 12 : x + 12;
  const left = Math.max(0, Math.min(wanted, frame.left + frame.width - width + 12));
  const top = column !== undefined || at === undefined
    ? frame.top + 2
    : Math.max(0, Math.min(at[1] - height - 10, frame.top + frame.height - height));
  const edge = pixels(left + 7);
  const lines = values.map(({ style, text }) =>
    piece`<tspan x="${edge}" dy="${line}" fill="var(${style.colour})">● ${style.label}</tspan> ${text}`
  );
  return piece`<rect class="box" x="${pixels(left)}" y="${pixels(top)}" width="${pixels(width)}" height="${
    pixels(height)
  }" rx="5"/><text x="${edge}" y="${pixels(top + line)}"><tspan class="title">${title}</tspan>${lines}</text>`;
}
