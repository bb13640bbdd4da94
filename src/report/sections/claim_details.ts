/** A claim, folded: verdict and title on its line; statement, rule, numbers and evidence inside. */
import type { Evidence, NamedNumber, Verdict } from "../../results/claims.ts";
import { type Anchors, claimAnchor, runFileLinks } from "../markup/anchors.ts";
import { html, join, type Markup } from "../markup/markup.ts";
import { grouped } from "../markup/numbers.ts";
import { badge } from "../markup/verdict_badge.ts";

/** So many numbers stand unfolded. */
const FEW = 4;

/**
 * The claim. The anchor is inside, so that following a link to it unfolds it.
 *
 * @param index place among the claims under the same heading, whose figures ring the points of those that are open
 */
export function claimDetails(verdict: Verdict, anchors: Anchors, index?: number): Markup {
  return html`
    <details class="claim${index === undefined ? null : ` c${index}`}">
      <summary>${badge(verdict)} <span class="title">${verdict.title}</span></summary>
      <div class="inside" id="${claimAnchor(verdict.id)}">
    <p>${verdict.statement}</p>
    <p class="quiet">${where(verdict)}</p>
    <p>${verdict.reason}</p>
    <p class="rule"><span class="quiet">Rule</span> ${verdict.rule}</p>
    ${numbers(verdict.numbers)}${evidence(verdict.evidence, anchors)}
      </div>
    </details>
  `;
}

/** Section, figures and mark of the claim. */
export function where({ id, section, figure, source, confidence }: Verdict): Markup {
  const figures = figure.split(/[\s,;]+/).filter((part) => part !== "");
  return join([
    ...(source === undefined ? [] : [source]),
    ...(section === "" ? [] : [`Section ${section}`]),
    ...(figures.length === 0 ? [] : [`Figure${figures.length > 1 ? "s" : ""} ${figures.join(", ")}`]),
    `mark ${confidence}`,
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
        return html`<li>${label}, step ${grouped(step)}: <strong>${value}</strong><br>${
          run === undefined
            ? html`<code>${runKey}</code>`
            : html`${anchors.link(run, runKey)} ${runFileLinks(run, ["curves.json", "journal.jsonl"])}`
        }</li>`;
      })}</ul>
    </details>
  `;
}
