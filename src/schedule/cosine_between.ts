/** The half cosine that several schedules go down by. */
import { cos } from "../arithmetic/elementary.ts";

/** Half a cosine from one rate to another; progress runs from 0 to 1. */
export function cosineBetween(from: number, to: number, progress: number): number {
  return to + (from - to) / 2 * (cos(Math.PI * progress) + 1);
}
