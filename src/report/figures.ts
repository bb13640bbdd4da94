/** Which figures the report has: the paper's, remade, and two that help to read them. */
import type { Metric } from "./series.ts";

/** What a figure plots. */
export type FigureKind =
  | { readonly kind: "loss"; readonly metric: Metric }
  | { readonly kind: "perplexity" }
  | { readonly kind: "schedule" };

/** A figure before it meets the data. */
export interface FigureDefinition {
  /** anchor on the page */
  readonly id: string;
  /** number in the paper; absent for a figure of ours */
  readonly paperFigure?: string;
  readonly title: string;
  readonly plots: FigureKind;
  /** experiments whose arms it shows; without an arm of the first one there is no figure */
  readonly experiments: readonly string[];
  /** what the reader should know besides */
  readonly note?: string;
}

/** Figures that belong to one section of the paper. */
export interface FigureGroup {
  readonly id: string;
  readonly title: string;
  /** what is varied and what is held */
  readonly introduction: string;
  readonly figures: readonly FigureDefinition[];
}

const PATH_NOTE = "Each path runs from the start to its filled marker; a ring is the end of the warm-up. " +
  "Higher is more forgotten, further left is more learned.";

/** All figures, in the paper's order. */
export const FIGURE_GROUPS: readonly FigureGroup[] = [
  {
    id: "warmup-length",
    title: "Length of the warm-up (section 4.1)",
    introduction: "The same maximum learning rate, reached after 0, 0.5, 1 or 2 % of the schedule’s tokens.",
    figures: [
      {
        id: "figure-1-downstream",
        paperFigure: "1",
        title: "Downstream loss by length of warm-up",
        plots: { kind: "loss", metric: "downstream" },
        experiments: ["warmup-length"],
      },
      {
        id: "figure-1-upstream",
        paperFigure: "1",
        title: "Upstream loss by length of warm-up",
        plots: { kind: "loss", metric: "upstream" },
        experiments: ["warmup-length"],
      },
    ],
  },
  {
    id: "max-learning-rate",
    title: "Maximum learning rate, and training from scratch (sections 4.2 and 4.3)",
    introduction: "Warm-up of 1 % to half, once and twice the model’s own maximum learning rate, beside a constant " +
      "minimum rate without warm-up, and a model that starts from random weights.",
    figures: [
      {
        id: "figure-2",
        paperFigure: "2",
        title: "Downstream loss by maximum learning rate",
        plots: { kind: "loss", metric: "downstream" },
        experiments: ["max-learning-rate", "from-scratch"],
      },
      {
        id: "figure-3",
        paperFigure: "3",
        title: "Upstream loss by maximum learning rate",
        plots: { kind: "loss", metric: "upstream" },
        experiments: ["max-learning-rate", "from-scratch"],
      },
      {
        id: "figure-4",
        paperFigure: "4",
        title: "Upstream against downstream perplexity, by maximum learning rate",
        plots: { kind: "perplexity" },
        experiments: ["max-learning-rate", "from-scratch"],
        note: PATH_NOTE,
      },
      {
        id: "figure-schedules",
        title: "The learning-rate schedules",
        plots: { kind: "schedule" },
        experiments: ["max-learning-rate", "warmup-length"],
        note: "The paper’s schedule is a cosine to zero, held at the minimum from where it would fall below it: " +
          "the flat end is meant.",
      },
    ],
  },
  {
    id: "same-data",
    title: "Warming up again on the same data (section 4.4)",
    introduction: "Training goes on with the upstream corpus: no shift of the data, only of the learning rate.",
    figures: [
      {
        id: "figure-5",
        paperFigure: "5",
        title: "Upstream loss while training on upstream data",
        plots: { kind: "loss", metric: "upstream" },
        experiments: ["same-data"],
      },
      {
        id: "figure-6",
        paperFigure: "6",
        title: "Upstream against downstream perplexity, on upstream data",
        plots: { kind: "perplexity" },
        experiments: ["same-data"],
        note: "Each path runs from the start to its filled marker; a ring is the end of the warm-up. " +
          "The paper finds that the two perplexities move together on a line.",
      },
    ],
  },
  {
    id: "earlier-checkpoints",
    title: "Starting from earlier checkpoints (section 4.5)",
    introduction: "Downstream training from checkpoints at 7, 19 and 100 % of pre-training, with and without warm-up.",
    figures: [
      {
        id: "figure-7",
        paperFigure: "7",
        title: "Downstream loss by checkpoint",
        plots: { kind: "loss", metric: "downstream" },
        experiments: ["earlier-checkpoints"],
      },
      {
        id: "figure-8",
        paperFigure: "8",
        title: "Upstream loss by checkpoint",
        plots: { kind: "loss", metric: "upstream" },
        experiments: ["earlier-checkpoints"],
      },
      {
        id: "figure-9",
        paperFigure: "9",
        title: "Upstream against downstream perplexity, by checkpoint",
        plots: { kind: "perplexity" },
        experiments: ["earlier-checkpoints"],
        note: "The paper’s Figures 7 to 9 compare checkpoints; the axes of its Figure 9 are not among the facts this " +
          "project holds, so the choice of perplexity against perplexity is ours.",
      },
      {
        id: "figure-pretraining",
        title: "The pre-training that everything starts from",
        plots: { kind: "loss", metric: "upstream" },
        experiments: ["upstream"],
        note: "Here T is the length of the pre-training itself, which ends at its minimum learning rate: only then " +
          "does re-warming mean something.",
      },
    ],
  },
];
