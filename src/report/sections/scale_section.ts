/** The scale: its size beside the paper's, whether it is a fair proxy, and what it was trained on. */
import { formatBounds, formatRatio } from "../../experiment/scale/criteria.ts";
import type { ReportInput } from "../input/input.ts";
import { html, type Markup } from "../markup/markup.ts";
import { compact, grouped, ratio } from "../markup/numbers.ts";
import { table } from "../markup/table.ts";
import { digest } from "./runs_section.ts";

/** What was trained, on what, and how near that is to the paper. */
export function scaleSection(input: ReportInput): Markup {
  return html`<section aria-labelledby="scale">
<h2 id="scale">The scale and its data</h2>
${whatThisIs(input)}
${criteria(input)}
${corpora(input)}
</section>`;
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
  return html`<p>The experiments of “${paper.title}”, trained again at scale <strong>${scale.name}</strong>${
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

function criteria({ scale }: ReportInput): Markup | null {
  if (scale.criteria.length === 0) return null;
  const met = scale.criteria.filter(({ holds }) => holds === true).length;
  return html`<h3>Is it a fair proxy?</h3>
<p>Ratios of the design that the paper’s effects hang on, with bounds that were fixed before any result. Where one is out
of bounds, an effect may be missing for that reason alone. <code>deno task plan</code> also counts repetitions of the text.</p>
${
    table({
      id: "criteria-table",
      kind: "prose",
      caption: `Scale ${scale.name} beside the paper: ${met} of ${scale.criteria.length} ratios within their bounds`,
      columns: [
        { head: "Ratio" },
        { head: "Here", numeric: true },
        { head: "Paper", numeric: true },
        { head: "Bounds", numeric: true },
        { head: "Within" },
      ],
      rows: scale.criteria.map(({ name, ours, paper, bounds, holds }) => ({
        cells: [
          name,
          ours === undefined ? "not counted" : formatRatio(ours),
          paper === undefined ? "not stated" : formatRatio(paper),
          formatBounds(bounds),
          holds === undefined ? "not counted" : html`<strong>${holds ? "yes" : "no"}</strong>`,
        ],
      })),
    })
  }`;
}

function corpora({ corpora }: ReportInput): Markup | null {
  if (corpora.length === 0) return null;
  return html`<h3>What it was trained on</h3>
${
    table({
      id: "corpora-table",
      kind: "prose",
      caption: "The corpora and the mixes that stand for the downstream one, with the digests of their token streams",
      columns: ["Corpus", "Made of", "Counts and shares", "Digest"].map((head) => ({ head })),
      rows: corpora.map((corpus) => ({
        cells: [
          corpus.name,
          corpus.madeOf,
          corpus.facts.map(({ name, value }) => `${name} ${shown(value)}`).join(", "),
          digest(corpus.digest),
        ],
      })),
    })
  }`;
}

/** Counts with commas, shares with three decimals. */
function shown(value: string): string {
  if (/^\d+$/.test(value)) return grouped(Number(value));
  return /^\d*\.\d+$/.test(value) ? Number(value).toFixed(3) : value;
}
