/** The head of the page: what was done, how the claims fared, what went wrong, and what all of it does not show. */
import { type Verdict, VERDICT_NAMES } from "../../results/claims.ts";
import type { ReportInput } from "../input/input.ts";
import { html, type Markup } from "../markup/markup.ts";
import { compact, grouped } from "../markup/numbers.ts";
import { badge, verdictInWords } from "../markup/verdict_badge.ts";

/** A few lines, so that the first figure is near. */
export function abstractSection(input: ReportInput): Markup {
  return html`<section class="abstract" aria-label="Summary">
<p class="lead">${inShort(input)}</p>
${tally(input)}
${
    input.warnings.length === 0 ? null : html`
      <div class="card warning">
        <h2 class="small">Warnings</h2>
        <ul>${input.warnings.map((warning) => html`<li>${warning}</li>`)}</ul>
      </div>
    `
  }
<details>
<summary>What this page does not show</summary>
<ul>${[...ownLimits(input), ...input.limits].map((limit) => html`<li>${limit}</li>`)}</ul>
</details>
</section>`;
}

function inShort({ scale, paper }: ReportInput): Markup {
  return html`
    Every ablation of the paper, trained again at scale <strong>${scale.name}</strong>: ${grouped(
      scale.parameters,
    )} parameters, a horizon of ${compact(scale.downstreamHorizonTokens)} ${scale.tokenUnit}s, ${scale.seeds === 1
      ? "one seed"
      : `${scale.seeds} seeds`}${scale.changes.length === 0
      ? null
      : `, with changes (${
        scale.changes.join(", ")
      })`}. Each figure holds the claims that were judged by it; the paper is <a
      href="https://arxiv.org/abs/${paper.arxiv}" rel="noreferrer">arXiv ${paper.arxiv}</a>.
  `;
}

/** How many verdicts of each kind, in words. */
export function countVerdicts(verdicts: readonly Verdict[]): { readonly verdict: Verdict; readonly count: number }[] {
  return VERDICT_NAMES.flatMap((name) =>
    [...Map.groupBy(verdicts.filter(({ verdict }) => verdict === name), verdictInWords).values()].flatMap((alike) =>
      alike[0] === undefined ? [] : [{ verdict: alike[0], count: alike.length }]
    )
  );
}

function tally({ verdicts }: ReportInput): Markup {
  if (verdicts.length === 0) return html`<p class="left-out">This report judges no claims.</p>`;
  return html`<p class="of">Of <a href="#claims">${verdicts.length} claims</a> tested here:</p>
<ul class="tally">${
    countVerdicts(verdicts).map(({ verdict, count }) =>
      html`<li><span class="count">${count}</span> ${badge(verdict)}</li>`
    )
  }</ul>`;
}

/** Limits that follow from the input itself. */
function ownLimits({ scale, paper }: ReportInput): string[] {
  const limits: string[] = [];
  if (scale.parameters * 1.02 < paper.parameters) {
    limits.push(
      `How ${paper.model} behaves. A small model on little text can agree or disagree with the paper for reasons of ` +
        "its own; orderings carry over only as far as they are tested at more scales.",
      `Losses that can be set beside the paper’s: nats a ${scale.tokenUnit} on other text are another quantity.`,
    );
  }
  if (scale.seeds === 1) {
    limits.push("How much of a difference is noise: one seed gives no band. More seeds (--seeds 3) give one.");
  }
  limits.push("That its files are the ones signed for. Only verifying the manifest shows that; this page cannot.");
  return limits;
}
