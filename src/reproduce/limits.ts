/** What a reproduction at some scale does not show, said in the manifest and on the page. */
import type { Plan } from "../experiment/plan.ts";
import { isTrained, type ManifestRun, type TrainedRun } from "../manifest/run.ts";

/** What any reproduction leaves open; whole sentences. */
export function methodLimits({ engine, data }: Plan): string[] {
  return [
    ...(engine.level === "machine_to_machine" ? [] : [
      `The engine promises its bits only ${engine.level.replaceAll("_", " ")}: another machine may give others.`,
    ]),
    ...(data.state === "pinned" ? [] : ["The data were not at hand."]),
    "A signature says who claims these results; that training took place as stated is shown only by training again.",
    "The optimizer's moments start at zero in every continued run, which the paper does not say and its follow-up does.",
  ];
}

/** What a reproduction of this size leaves open, and then what any does. The page says the former in its own words. */
export function limitsOf(plan: Plan, runs: readonly ManifestRun[]): string[] {
  const { scale, seeds } = plan;
  return [
    ...runs.filter(isTrained).flatMap(changesOfConditions),
    ...(scale.name === "paper" ? [] : [
      `This is scale "${scale.name}": its verdicts say what a model of this size shows on this data, and not what ` +
      "Pythia-410M shows on the Pile and SlimPajama.",
    ]),
    ...(seeds > 1 ? [] : ["One seed: differences are judged by fixed margins, not by their spread over seeds."]),
    ...methodLimits(plan),
  ];
}

/** A run that went on elsewhere: no single machine gives its bits again. */
function changesOfConditions({ label, conditions = [] }: TrainedRun): string[] {
  return conditions.slice(1).map(({ fromStep }) =>
    `Run "${label}" went on at step ${fromStep} under other conditions, by its maker's word: its bits cannot be repeated.`
  );
}
