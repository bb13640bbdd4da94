/** What a reproduction at some scale does not show, said in the manifest and on the page. Web-standard APIs only. */
import { describeShortage, type Shortage } from "../../data/shortage.ts";
import type { Plan } from "../../experiment/plan/plan.ts";
import { isTrained, type ManifestRun, type TrainedRun } from "./run.ts";

/** Changes of conditions that are said one by one. */
const MAX_LISTED = 100;

/** What any reproduction leaves open; whole sentences. */
export function methodLimits({ engine, data, start, readings, seeds }: Plan): string[] {
  return [
    ...(engine.level === "machine_to_machine" ? [] : [
      `The engine promises its bits only ${engine.level.replaceAll("_", " ")}: another machine may give others.`,
    ]),
    ...(data.state === "pinned" ? [] : ["The data were not at hand."]),
    "A signature says who claims these results; that training took place as stated is shown only by training again.",
    readings?.["optimizer-state"] === "carried"
      ? "Continued runs carry the optimizer's moments on, which the paper does not say; its follow-up resets them."
      : "The optimizer's moments start at zero in every continued run, which the paper does not say and its follow-up " +
        "does.",
    ...(start === undefined ? [] : [
      "The models that continued runs start from were trained by others: this reproduction takes them as they are." +
      (seeds > 1 ? " All seeds share them, so that seeds vary the order of windows only." : ""),
    ]),
  ];
}

/** What a reproduction of this size leaves open, and then what any does. The page says the former in its own words. */
export function limitsOf(plan: Plan, runs: readonly ManifestRun[], shortages: readonly Shortage[]): string[] {
  const { scale, seeds } = plan;
  return [
    ...listed(runs.filter(isTrained).flatMap(changesOfConditions)),
    ...(scale.name === "paper" && scale.changes === undefined ? [] : [
      `This is ${
        scale.changes === undefined ? "" : "a changed "
      }scale "${scale.name}": its verdicts say what a model of this size shows on this data, and not what ` +
      "Pythia-410M shows on the Pile and SlimPajama.",
    ]),
    ...(scale.changes === undefined ? [] : [
      `The scale was changed (${scale.changes.join(", ")}): what its file says of tokens and cost does not hold.`,
    ]),
    ...(seeds > 1 ? [] : ["One seed: differences are judged by fixed margins, not by their spread over seeds."]),
    ...dataLimits(shortages),
    ...methodLimits(plan),
  ];
}

/** Text that had to be read again, in whole sentences. */
export function dataLimits(shortages: readonly Shortage[]): string[] {
  return shortages.map((shortage) => `There was too little text: ${describeShortage(shortage)}.`);
}

/** Sentences that stand for all of them, where a plan of thousands of runs has as many. */
function listed(sentences: readonly string[]): readonly string[] {
  if (sentences.length <= MAX_LISTED) return sentences;
  return [...sentences.slice(0, MAX_LISTED), `So did runs in ${sentences.length - MAX_LISTED} further places.`];
}

/** A run that resumed elsewhere: no single machine gives its bits again. */
function changesOfConditions({ label, conditions = [] }: TrainedRun): string[] {
  return conditions.slice(1).map(({ fromStep }) =>
    `Run "${label}" went on at step ${fromStep} under other conditions, by its maker's word: its bits cannot be repeated.`
  );
}
