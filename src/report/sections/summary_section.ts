/** The top of the page: how the claims fared, what was done, and what the page does not show. */
import { VERDICT_NAMES, type VerdictName } from "../../results/claims.ts";
import type { ReportInput } from "../input/input.ts";
import { html, type Markup } from "../markup/markup.ts";
import { compact, grouped, ratio } from "../markup/numbers.ts";
import { claimAnchor } from "../markup/anchors.ts";
import { badge, verdictMark } from "../markup/verdict_badge.ts";

/** Verdict counts, the scale in plain words, warnings and limits. */
export function summarySection(input: ReportInput): Markup {
  return html`<section aria-labelledby="summary">
<h2 id="summary">Summary</h2>
${tally(input)}
${
    input.warnings.length === 0 ? null : html`
      <div class="card warning">
        <h3>Warnings</h3>
        <ul>${input.warnings.map((warning) =>
          html`
            <li>${warning}</li>
          `
        )}</ul>
      </div>
    `
  }
<div class="columns">
<div class="card">
<h3>What this is</h3>
${whatThisIs(input)}
</div>
<div class="card">
<h3>What this page does not show</h3>
<ul>${
    [...ownLimits(input), ...input.limits].map((limit) =>
      html`
        <li>${limit}</li>
      `
    )
  }</ul>
</div>
</div>
</section>`;
}

/** How many verdicts of each kind. */
export function countVerdicts(input: ReportInput): Readonly<Record<VerdictName, number>> {
  const counts = { "reproduced": 0, "contradicted": 0, "inconclusive": 0, "not comparable": 0 };
  for (const { verdict } of input.verdicts) counts[verdict]++;
  return counts;
}

function tally(input: ReportInput): Markup {
  if (input.verdicts.length === 0) return html`<p class="left-out">This report judges no claims.</p>`;
  const counts = countVerdicts(input);
  return html`<p class="lead">Of the paper’s ${input.verdicts.length} claims tested here:</p>
<ul class="tally">
${
    VERDICT_NAMES.map((verdict) =>
      html`
        <li class="tile ${verdictMark(verdict).name}"><span class="count">${counts[verdict]}</span> ${badge(
          verdict,
        )}</li>
      `
    )
  }</ul>
<ol class="strip" aria-label="The claims one by one">${
    input.verdicts.map(({ id, title, verdict }) =>
      html`<li><a href="#${claimAnchor(id)}" class="chip ${
        verdictMark(verdict).name
      }" title="${title}"><span aria-hidden="true">${
        verdictMark(verdict).sign
      }</span><span class="hidden">${title}: ${verdict}</span></a></li>`
    )
  }</ol>`;
}

function whatThisIs({ scale, paper }: ReportInput): Markup {
  const [smaller, fewer] = [
    paper.parameters / scale.parameters,
    paper.downstreamHorizonTokens / scale.downstreamHorizonTokens,
  ];
  const unit = `${scale.tokenUnit}s`;
  const instead = (name: string) => scale.textIsThePapers ? "" : `, in place of ${name}`;
  const size = smaller < 1.02 && fewer < 1.02
    ? html`the paper’s own size: ${grouped(scale.parameters)} parameters, a downstream horizon of ${
      compact(scale.downstreamHorizonTokens)
    } ${unit}.`
    : html`a model of ${grouped(scale.parameters)} parameters with a downstream horizon of ${
      compact(scale.downstreamHorizonTokens)
    } ${unit}: about ${
      ratio(paper.parameters, scale.parameters)
    } times smaller than the paper’s ${paper.model}, on about ${
      ratio(paper.downstreamHorizonTokens, scale.downstreamHorizonTokens)
    } times fewer tokens.`;
  return html`<p>The experiments of “${paper.title}” (<a href="https://arxiv.org/abs/${paper.arxiv}" rel="noreferrer">arXiv ${paper.arxiv}</a>),
trained again at scale <strong>${scale.name}</strong>${
    scale.changes.length === 0 ? "" : ` with changes (${scale.changes.join(", ")})`
  }: ${size}</p>
<p>${
    "tokens" in scale.pretraining
      ? html`A model is first trained on ${scale.upstreamName} (${compact(scale.pretraining.tokens)} ${unit})${
        instead(paper.upstreamName)
      }, down to its minimum learning rate; then on ${scale.downstreamName}`
      : html`Models that others trained are taken as they are (${scale.pretraining.importedFrom}) and trained on
${scale.downstreamName}`
  }${instead(paper.downstreamName)}, with the learning rate warmed up again in the ways that the paper compares.</p>
<p>${scale.seeds === 1 ? "One seed" : `${scale.seeds} seeds`}; engine ${scale.engine}, determinism ${
    scale.determinism.replaceAll("_", " ")
  }.</p>`;
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
