/** The table of claims: verdict, statement, rule, numbers, evidence. */
import { describeMethod, type Evidence, type NamedNumber, type Verdict } from "../../results/claims.ts";
import { type Anchors, claimAnchor, runFileLinks } from "../markup/anchors.ts";
import { type FigureDefinition, figureGroups } from "./figures.ts";
import type { ReportInput } from "../input/input.ts";
import { type Content, html, join, type Markup } from "../markup/markup.ts";
import { grouped } from "../markup/numbers.ts";
import { badge } from "../markup/verdict_badge.ts";

/** So many numbers stand unfolded. */
const FEW = 4;

/** All claims with their verdicts. */
export function claimsSection(input: ReportInput, anchors: Anchors): Markup {
  const figures = figureGroups(input.experiments).flatMap((group) => group.figures);
  return html`<section aria-labelledby="claims">
<h2 id="claims">Claims</h2>
${
    input.verdicts.length === 0 ? html`<p class="left-out">No claims were judged.</p>` : html`
      <p>Every rule was fixed before the runs, and stands in <code>paper.yaml</code> beside this page. ${describeMethod(
        input.scale.seeds,
        input.rulesVersion,
      )} Marks say how surely the claim itself is known: A read in a primary text, B in a secondary one, C inferred,
      ? unknown.</p>
      <div class="claims-box">
        <table class="claims" role="table">
          <caption>The paper’s claims, each with its verdict, the rule that tests it, the numbers the rule saw, and where they came
      from</caption>
          <thead role="rowgroup">
            <tr role="row">${["Claim", "Verdict", "Why"].map((head) =>
              html`<th scope="col" role="columnheader">${head}</th>`
            )}</tr>
          </thead>
          <tbody role="rowgroup">
      ${input.verdicts.map((verdict) => claim(verdict, anchors, figures))}</tbody>
        </table>
      </div>
    `
  }
</section>`;
}

function claim(verdict: Verdict, anchors: Anchors, figures: readonly FigureDefinition[]): Markup {
  return html`
    <tr role="row" id="${claimAnchor(verdict.id)}">
      <th scope="row" role="rowheader">
        <p class="statement">${verdict.title}</p>
        <p>${verdict.statement}</p>
        <p class="quiet">${where(verdict, figures)}</p>
      </th>
      <td role="cell">${badge(verdict.verdict)}</td>
      <td
        role="cell"><p>${verdict.reason}</p><p class="rule"><span class="quiet">Rule</span> ${verdict
          .rule}</p>${numbers(verdict.numbers)}${evidence(verdict.evidence, anchors)}</td>
    </tr>
  `;
}

/** Section, figures and mark of the claim, the figures leading to ours. */
function where({ id, section, figure, confidence }: Verdict, definitions: readonly FigureDefinition[]): Markup {
  const figures = figure.split(/[\s,;]+/).filter((part) => part !== "");
  const links = figures.map((number): Content => {
    const target = definitions.find(({ paperFigure }) => String(paperFigure) === number);
    return target ? html`<a href="#${target.id}">${number}</a>` : number;
  });
  return join([
    html`Section ${section}`,
    ...(figures.length === 0 ? [] : [html`Figure${figures.length > 1 ? "s" : null} ${join(links, ", ")}`]),
    html`mark ${confidence}`,
    html`<code>${id}</code>`,
  ], " · ");
}

/** The comparisons that the rule made, folded away where there are many. */
function numbers(items: readonly NamedNumber[]): Markup | null {
  if (items.length === 0) return null;
  return html`
    <details${items.length <= FEW
      ? html`
        open
      `
      : null}>
      <summary>Numbers: ${items.length}</summary>
      <dl class="numbers">${items.map(({ name, value }) =>
        html`
          <div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>
        `
      )}</dl>
      </details>
  `;
}

/** The points of the curves that were read, each leading to its run. */
function evidence(items: readonly Evidence[], anchors: Anchors): Markup | null {
  if (items.length === 0) return null;
  return html`
    <details>
      <summary>Evidence: ${items.length} ${items.length === 1 ? "point" : "points"} of the curves</summary>
      <ul class="evidence">${items.map(({ label, runKey, step, value }) => {
        const run = anchors.label(runKey);
        return html`
          <li>${label}, step ${grouped(step)}: <strong>${value}</strong><br>${run === undefined
            ? html`<code>${runKey}</code>`
            : html`${anchors.link(run, runKey)} ${runFileLinks(run, ["curves.json", "journal.jsonl"])}`}</li>
        `;
      })}</ul>
    </details>
  `;
}
