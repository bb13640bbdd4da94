/** The table of claims: verdict, statement, rule, numbers, evidence. */
import { type Anchors, claimAnchor, runFileLinks } from "./anchors.ts";
import { FIGURE_GROUPS } from "./figures.ts";
import type { ReportEvidence, ReportInput, ReportVerdict } from "./input.ts";
import { html, join, type Markup } from "./markup.ts";
import { grouped } from "./numbers.ts";
import { badge } from "./verdict_badge.ts";

/** All claims with their verdicts. */
export function claimsSection(input: ReportInput, anchors: Anchors): Markup {
  return html`<section aria-labelledby="claims">
<h2 id="claims">Claims</h2>
${
    input.verdicts.length === 0
      ? html`<p class="left-out">No claims were judged.</p>`
      : html`<div class="claims-box"><table class="claims" role="table">
<caption>The paper’s claims, each with the rule that tests it, the numbers the rule saw, and where they came from</caption>
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Claim</th><th scope="col" role="columnheader">Verdict</th><th scope="col" role="columnheader">Rule and numbers</th></tr></thead>
<tbody role="rowgroup">
${input.verdicts.map((verdict) => claim(verdict, anchors))}</tbody>
</table></div>`
  }
</section>`;
}

function claim(verdict: ReportVerdict, anchors: Anchors): Markup {
  return html`<tr role="row" id="${claimAnchor(verdict.id)}">
<th scope="row" role="rowheader"><p class="statement">${verdict.statement}</p><p class="quiet">${where(verdict)} · <code>${verdict.id}</code></p></th>
<td role="cell">${badge(verdict.verdict)}</td>
<td role="cell">${verdict.reason ? html`<p>${verdict.reason}</p>` : null}<p class="rule"><span class="quiet">Rule</span> ${verdict.rule}</p>${
    verdict.numbers.length === 0 ? null : html`<dl class="numbers">${
      verdict.numbers.map(({ name, value }) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)
    }</dl>`
  }${evidence(verdict.evidence, anchors)}</td>
</tr>
`;
}

/** Section and figures of the paper, the figures leading to ours. */
function where({ section, figure }: ReportVerdict): Markup {
  const parts = [html`Section ${section}`];
  if (figure !== "") {
    const numbers = figure.split(/[\s,;]+/).filter((part) => part !== "");
    parts.push(html`Figure${numbers.length > 1 ? "s" : null} ${
      join(
        numbers.map((number) => {
          const target = FIGURE_GROUPS.flatMap(({ figures }) => figures)
            .find(({ paperFigure }) => paperFigure === number);
          return target ? html`<a href="#${target.id}">${number}</a>` : number;
        }),
        ", ",
      )
    }`);
  }
  return join(parts, " · ");
}

function evidence(items: readonly ReportEvidence[], anchors: Anchors): Markup | null {
  if (items.length === 0) return null;
  return html`<details>
<summary>Evidence: ${items.length} ${items.length === 1 ? "run" : "runs"}</summary>
<ul class="evidence">${
    items.map(({ label, runKey, step }) =>
      html`<li>${anchors.link(label, runKey)}${step === undefined ? null : `, step ${grouped(step)}`}: ${
        runFileLinks(label, ["curves.json", "journal.jsonl"])
      }</li>
`
    )
  }</ul>
</details>`;
}
