/** What is said under a figure because its data say it, and what the scale cannot show where one would look for it. */
import type { Verdict } from "../../results/claims.ts";
import { comesFromOutside, leavesAxes, warmupEnds } from "../charts/charts.ts";
import type { Series } from "../charts/series.ts";
import { lossesAtBoth } from "../charts/whole_losses.ts";
import type { ReportInput } from "../input/input.ts";
import { html, type Markup } from "../markup/markup.ts";
import { fixed, percent } from "../markup/numbers.ts";
import type { FigureDefinition } from "./figures.ts";

/** Sentences about the curves of a figure. */
export function curveNotes(
  { plots, horizon, experiments }: FigureDefinition,
  series: readonly Series[],
  input: ReportInput,
): string[] {
  const { downstreamHorizonTokens } = input.scale;
  const notes: string[] = [];
  if (plots.kind === "loss") {
    const ends = warmupEnds(series);
    if (ends.length > 0) {
      const shares = ends.map((end) => percent(end / downstreamHorizonTokens)).join(", ");
      notes.push(
        `Dotted ${ends.length > 1 ? "lines" : "line"}: end of the warm-up${
          horizon === "run" ? "" : ` (${shares} of the schedule’s tokens)`
        }.`,
      );
    }
    for (const one of series) {
      const highest = leavesAxes(series, one, plots.metric);
      if (highest !== undefined) {
        notes.push(`“${one.style.label}” leaves the axis at the top; its highest value is ${fixed(highest, 3)}.`);
      }
    }
  } else {
    notes.push("Perplexity is e to the loss.");
    for (const one of series.filter((one) => comesFromOutside(series, one))) {
      notes.push(`The path of “${one.style.label}” comes from far outside the axes.`);
    }
  }
  if (plots.kind === "perplexity" || (plots.kind === "loss" && plots.metric === "upstream")) {
    notes.push(...forgettingNote(series));
  }
  for (const one of series) {
    if (one.divergedAt !== undefined) notes.push(`“${one.style.label}” diverged at step ${one.divergedAt}.`);
  }
  const absent = experiments.filter((name) => !series.some(({ experiment }) => experiment === name));
  if (absent.length > 0) notes.push(`Without “${absent.join("”, “")}”, which this report holds no run of.`);
  return notes;
}

/** What of upstream is forgotten at the ends of arms that go on from a trained model on other text; it may be nothing. */
export function forgettingNote(series: readonly Series[]): string[] {
  const changes = series.flatMap(({ mean, style, startsAtRandom, members }) => {
    const isContinued = !startsAtRandom && members.every(({ trainedOn }) => trainedOn === "downstream");
    const ends = [mean[0]?.step, mean.at(-1)?.step];
    if (!isContinued || ends[0] !== 0 || ends[1] === 0) return [];
    const each = members.flatMap(({ curves }) => {
      const [first, last] = ends.map((wanted) => curves.points.find(({ step }) => step === wanted));
      if (first === undefined || last === undefined) return [];
      const losses = lossesAtBoth(curves, first, last, "upstream");
      return [losses.last / losses.first - 1];
    });
    if (each.length === 0) return [];
    return [{ label: style.label, change: each.reduce((sum, change) => sum + change, 0) / each.length }];
  });
  if (changes.length === 0) return [];
  const listed = (some: typeof changes) =>
    some.map(({ label, change }) => `${label} ${change < 0 ? "−" : "+"}${percent(Math.abs(change))}`).join(", ");
  const forgotten = changes.filter(({ change }) => change > 0);
  const gained = changes.filter(({ change }) => change <= 0);
  if (forgotten.length === 0) {
    return [
      `Nothing is forgotten here: upstream loss ends below its start in every arm (${
        listed(gained)
      }), so that a higher ` +
      "end is less gained and not more forgotten.",
    ];
  }
  return [
    `Forgotten at the end, as upstream loss against its start: ${listed(forgotten)}.` +
    (gained.length === 0 ? "" : ` Not forgotten, since it ends below: ${listed(gained)}.`),
  ];
}

/** The claims of a figure that this scale says nothing of, each reason once. */
export function cannotShow(verdicts: readonly Verdict[]): Markup | null {
  const silent = verdicts.filter(({ verdict }) => verdict === "not comparable");
  if (silent.length === 0) return null;
  const byReason = Map.groupBy(silent, ({ reason }) => reason);
  return html`
    <div class="cannot">
      <p><strong>What cannot be seen here.</strong></p>
      <ul>${[...byReason].map(([reason, claims]) =>
        html`<li>${claims.map(({ title }, i) => `${i > 0 ? ", " : ""}“${title}”`)}: ${reason}</li>`
      )}</ul>
    </div>
  `;
}
