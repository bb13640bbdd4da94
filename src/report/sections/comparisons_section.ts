/** The paper's numbers beside ours, each marked comparable or not, and why. */
import type { ComparisonKind, ComparisonRow } from "../../results/compare_numbers.ts";
import type { ReportInput } from "../input/input.ts";
import { html, type Markup } from "../markup/markup.ts";
import { table } from "../markup/table.ts";

const KINDS: readonly (readonly [kind: ComparisonKind, title: string, what: string])[] = [
  ["setup", "The setup", "What the paper fixes before any result: the comparable ones should be equal."],
  ["text", "Numbers in the text", "The few results that the paper states as numbers."],
  ["axis", "Axes of the figures", "They bound the paper’s plots and are no results."],
  ["follow-up", "Numbers of the follow-up", "Another study by the same group, under another schedule and mixture."],
];

/** Setup numbers, numbers in the text, axes, and the follow-up's numbers. */
export function comparisonsSection({ comparisons, scale }: ReportInput): Markup {
  return html`<section aria-labelledby="comparisons">
<h2 id="comparisons">Beside the paper’s numbers</h2>
${
    comparisons.length === 0
      ? html`<p class="left-out">No numbers of the paper were compared.</p>`
      : html`<p>The paper gives its results as curves, with no table of results; what numbers there are stand here beside
ours. Marks say how surely the paper’s number is known: A read in a primary text, B in a secondary one, C inferred,
? unknown.</p>
${
        KINDS.map(([kind, title, what]) => {
          const rows = comparisons.filter((row) => row.kind === kind);
          return rows.length === 0 ? null : html`
            <h3>${title}</h3>
            <p>${what}</p>
            ${comparisonTable(kind, title, rows, scale.name)}
          `;
        })
      }`
  }
</section>`;
}

function comparisonTable(kind: string, title: string, rows: readonly ComparisonRow[], scale: string): Markup {
  const comparable = rows.filter((row) => row.comparable);
  const judged = rows.filter(({ agrees }) => agrees !== undefined);
  const agreeing = judged.filter(({ agrees }) => agrees);
  return table({
    id: `comparisons-${kind}`,
    kind: "prose",
    caption: `${title}, the paper’s and ours at scale ${scale}: ${comparable.length} of ${rows.length} comparable` +
      (judged.length === 0 ? "" : `, ${agreeing.length} of ${judged.length} judged equal`),
    columns: ["Quantity", "Paper", "Ours", "Comparable", "Source", "Mark"].map((head) => ({ head })),
    rows: rows.map((row) => ({
      cells: [
        row.name,
        row.paper,
        row.ours,
        html`<strong>${standing(row)}</strong>: ${row.reason}`,
        row.source,
        row.confidence,
      ],
    })),
  });
}

/** Whether a row is comparable and, if so, what came of it. */
function standing({ comparable, agrees }: ComparisonRow): string {
  if (!comparable) return "no";
  return agrees === undefined ? "yes, not judged" : agrees ? "yes, equal" : "yes, unequal";
}
