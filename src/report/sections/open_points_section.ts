/** What the paper leaves open, and how it was read here. */
import type { ReportInput } from "../input/input.ts";
import { html, type Markup } from "../markup/markup.ts";
import { table } from "../markup/table.ts";

/** Questions that the paper does not answer, each with what was done. */
export function openPointsSection({ openPoints }: ReportInput): Markup {
  return html`<section aria-labelledby="open-points">
<h2 id="open-points">What the paper leaves open</h2>
${
    openPoints.length === 0 ? html`<p class="left-out">No open points are recorded.</p>` : table({
      id: "open-points-table",
      kind: "prose",
      caption: "Questions that the paper does not answer, and how they were read here",
      columns: ["Question", "Read here as", "Mark"].map((head) => ({ head })),
      rows: openPoints.map(({ question, here, confidence }) => ({ cells: [question, here, confidence] })),
    })
  }
</section>`;
}
