/** Open questions: numbers with intervals, and no verdict. */
import type { Estimate, EstimateRow } from "../../results/estimates/estimate.ts";
import type { ReportInput } from "../input/input.ts";
import { html, type Markup } from "../markup/markup.ts";
import { trimmed } from "../markup/numbers.ts";
import { table } from "../markup/table.ts";

/** All estimates by experiment; nothing where the rules ask for none. */
export function estimatesSection({ estimates, experiments, scale }: ReportInput): Markup | null {
  if (estimates.length === 0) return null;
  const groups = experiments.flatMap(({ name, title }) => {
    const own = estimates.filter(({ experiment }) => experiment === name);
    return own.length === 0 ? [] : [{ name, title, own }];
  });
  return html`<section aria-labelledby="estimates">
<h2 id="estimates">Open questions</h2>
<p>What the paper does not answer gets numbers at scale ${scale.name} and no verdict. Intervals have a level of 95 %: over
seeds they say what another seed may give, over documents what other validation text may give.</p>
${
    groups.map(({ name, title, own }) =>
      html`<h3>${title}</h3>
${
        table({
          id: `estimates-${name}`,
          kind: "prose estimates",
          caption: `Estimates of “${title}”`,
          columns: [
            { head: "Question" },
            { head: "Of" },
            { head: "Estimate", numeric: true },
            { head: "95 % interval", numeric: true },
            { head: "Measured as" },
          ],
          rows: own.flatMap(estimateRows),
        })
      }`
    )
  }
</section>`;
}

function estimateRows({ title, measure, missing, numbers }: Estimate) {
  if (numbers.length === 0) return [{ cells: [title, "–", "–", "–", missing ?? measure] }];
  return numbers.map((number, index) => ({
    cells: [
      index === 0 ? title : html`<span class="hidden">${title}</span>`,
      number.label,
      `${number.atLeast ? "≥ " : ""}${inUnit(number.value, number)}${
        number.seeds > 1 ? ` (${number.seeds} seeds)` : ""
      }`,
      number.intervals.length === 0
        ? "none: one seed, no losses by document"
        : html`${
          number.intervals.map(({ over, count, low, high }, i) =>
            html`${i > 0 ? html`<br>` : null}${inUnit(low, number)} to ${inUnit(high, number)} over ${count} ${over}`
          )
        }`,
      index === 0 ? measure : "",
    ],
  }));
}

/** Shares as percentages; what else there is with its unit. */
function inUnit(value: string, { unit }: EstimateRow): string {
  const number = Number(value);
  if (unit === "share of loss" || unit === "share") {
    return `${number < 0 ? "−" : ""}${trimmed(Math.abs(number) * 100, 2)}\u00a0%`;
  }
  return `${trimmed(number, unit === "B tokens" ? 1 : 4).replace("-", "−")} ${unit}`;
}
