/** All claims at a glance, each leading to where it stands under a figure; those of no figure in full. */
import { describeMethod } from "../../results/claims.ts";
import { type Anchors, claimAnchor } from "../markup/anchors.ts";
import type { ReportInput } from "../input/input.ts";
import { html, type Markup } from "../markup/markup.ts";
import { table } from "../markup/table.ts";
import { badge } from "../markup/verdict_badge.ts";
import { claimDetails, where } from "./claim_details.ts";
import type { ClaimPlaces } from "./claim_places.ts";

/** All claims with their verdicts. */
export function claimsSection(input: ReportInput, { others }: ClaimPlaces, anchors: Anchors): Markup {
  const { verdicts, scale, rulesVersion } = input;
  return html`<section aria-labelledby="claims">
<h2 id="claims">All claims</h2>
${
    verdicts.length === 0 ? html`<p class="left-out">No claims were judged.</p>` : html`
      <p>Every rule was fixed before the runs, and stands in <code>paper.yaml</code> beside this page. ${describeMethod(
        scale.seeds,
        rulesVersion,
      )} Marks say how surely the claim itself is known: A read in a primary text, B in a secondary one, C inferred,
      ? unknown. Each claim leads to its place under a figure, where it unfolds with rule, numbers and evidence.</p>
      ${table({
        id: "claims-table",
        kind: "prose claims",
        caption: "The claims with their verdicts, in the order of the experiments",
        columns: ["Claim", "Verdict", "What the curves show", "Where it is from"].map((head) => ({ head })),
        rows: verdicts.map((verdict) => ({
          cells: [
            html`<a href="#${claimAnchor(verdict.id)}">${verdict.title}</a>`,
            badge(verdict),
            verdict.summary,
            where(verdict),
          ],
        })),
      })}
      ${others.length === 0 ? null : html`<h3>Claims that no figure here shows</h3>
<div class="card">${others.map((verdict) => claimDetails(verdict, anchors))}</div>`}
    `
  }
</section>`;
}
