/** Marker shapes, drawn alike in charts and in legends. Coordinates are for a marker about 8 pixels wide. */
import type { MarkerName } from "./legend.ts";
import { html, type Markup } from "../markup/markup.ts";

type Corner = readonly [x: number, y: number];

const POLYGONS: Readonly<Record<Exclude<MarkerName, "circle">, readonly Corner[]>> = {
  square: [[-3.4, -3.4], [3.4, -3.4], [3.4, 3.4], [-3.4, 3.4]],
  triangle: [[0, -4.6], [4.2, 3.2], [-4.2, 3.2]],
  wedge: [[0, 4.6], [4.2, -3.2], [-4.2, -3.2]],
  diamond: [[0, -5], [4.4, 0], [0, 5], [-4.4, 0]],
  cross: [
    [-4.4, -1.5],
    [-1.5, -1.5],
    [-1.5, -4.4],
    [1.5, -4.4],
    [1.5, -1.5],
    [4.4, -1.5],
    [4.4, 1.5],
    [1.5, 1.5],
    [1.5, 4.4],
    [-1.5, 4.4],
    [-1.5, 1.5],
    [-4.4, 1.5],
  ],
};

const CIRCLE_RADIUS = 3.9;

/** The drawing context that Plot hands to a symbol. */
export interface PathContext {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  arc(x: number, y: number, radius: number, start: number, end: number): void;
  closePath(): void;
}

/**
 * A marker as a symbol for Plot's `dot`, at its own size whatever radius the mark has.
 *
 * @returns an object with the `draw` method of d3's symbols
 */
export function plotSymbol(name: MarkerName): { draw(context: PathContext, size: number): void } {
  return {
    draw(context) {
      if (name === "circle") {
        context.moveTo(CIRCLE_RADIUS, 0);
        context.arc(0, 0, CIRCLE_RADIUS, 0, 2 * Math.PI);
        return;
      }
      POLYGONS[name].forEach(([x, y], i) => i === 0 ? context.moveTo(x, y) : context.lineTo(x, y));
      context.closePath();
    },
  };
}

/** A marker as SVG at a place. */
export function markerShape(name: MarkerName, x: number, y: number): Markup {
  if (name === "circle") {
    return html`
      <circle cx="${x}" cy="${y}" r="${CIRCLE_RADIUS}" />
    `;
  }
  const points = POLYGONS[name].map(([dx, dy]) => `${x + dx},${y + dy}`).join(" ");
  return html`
    <polygon points="${points}" />
  `;
}
