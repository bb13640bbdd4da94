/** Fewer points for the same line, to keep the page small. */
import type { Point } from "./chart.ts";

/**
 * Leaves out points that lie on the straight line between those kept (Douglas and Peucker, 1973, with the vertical
 * distance, which suits functions of x).
 *
 * @param points ascending in x
 * @param minimumWidth stretches of x shorter than this are not split further
 * @param tolerance largest vertical distance of a left-out point from the line
 */
export function simplify(points: readonly Point[], minimumWidth: number, tolerance: number): Point[] {
  const keep = new Set([0, points.length - 1]);
  const stretches: [number, number][] = [[0, points.length - 1]];
  for (let stretch = stretches.pop(); stretch !== undefined; stretch = stretches.pop()) {
    const [from, to] = stretch;
    const start = points[from];
    const end = points[to];
    if (!start || !end || end[0] - start[0] <= minimumWidth) continue;
    let farthest = -1;
    let distance = tolerance;
    for (let i = from + 1; i < to; i++) {
      const point = points[i] as Point;
      const straight = start[1] + (end[1] - start[1]) * (point[0] - start[0]) / (end[0] - start[0]);
      if (Math.abs(point[1] - straight) > distance) [farthest, distance] = [i, Math.abs(point[1] - straight)];
    }
    if (farthest >= 0) {
      keep.add(farthest);
      stretches.push([from, farthest], [farthest, to]);
    }
  }
  return points.filter((_, i) => keep.has(i));
}

/** At most `most` of the values, evenly spread, the first and the last among them. */
export function thin<T>(values: readonly T[], most: number): T[] {
  if (values.length <= most) return [...values];
  return Array.from({ length: most }, (_, i) => values[Math.round(i * (values.length - 1) / (most - 1))] as T);
}
