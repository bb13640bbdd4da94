/** The paper's numbers beside ours, each marked comparable or not, and why. */
import type { ReportInput } from "./input.ts";
import { html, type Markup } from "./markup.ts";
import { table } from "./table.ts";

/** Setup numbers, numbers in the text, and the follow-up's numbers. */
export function comparisonsSection({ comparisons, scale }: ReportInput): Markup {
  return html`<section aria-labelledby="comparisons">
<h2 id="comparisons">Beside the paper’s numbers</h2>
${
    comparisons.length === 0
      ? html`<p class="left-out">No numbers of the paper were compared.</p>`
      : html`<p>The paper gives its results as curves, with no table of results; what numbers there are stand here beside
ours.</p>
${
        table({
          id: "comparisons-table",
          kind: "prose",
          caption: `The paper’s numbers and ours at scale ${scale.name}`,
          columns: [
            { head: "Quantity" },
            { head: "Paper" },
            { head: "Ours" },
            { head: "Comparable" },
            { head: "Source" },
          ],
          rows: comparisons.map(({ name, paper, ours, comparable, reason, source }) => ({
            cells: [
              name,
              paper,
              ours,
              html`<strong>${comparable ? "yes" : "no"}</strong>${reason === "" ? null : `: ${reason}`}`,
              source,
            ],
          })),
        })
      }`
  }
</section>`;
}
