/** What rules expect of a difference. */
import type { Expectation } from "../contrast.ts";

/** A directional difference: shown beyond +margin, its opposite beyond −margin. */
export function directional(margin: number): Expectation {
  return { kind: "beyond", holdsFrom: margin, failsTo: -margin, neutral: 0 };
}

/** A rise, or a lead: refuted where there is none at all, since the margin guards the claim, not its absence. */
export function present(margin: number): Expectation {
  return { kind: "beyond", holdsFrom: margin, failsTo: 0, neutral: 0 };
}
