/** What a reproduction at some scale does not show, said in the manifest and on the page. */
import type { Plan } from "../experiment/plan.ts";

/** Whole sentences, the most important first. */
export function limitsOf({ scale, seeds, engine, data }: Plan): string[] {
  const isPaper = scale.name === "paper";
  return [
    ...(isPaper ? [] : [
      `This is scale "${scale.name}": its verdicts say what a model of this size shows on this data, and not what ` +
      "Pythia-410M shows on the Pile and SlimPajama.",
    ]),
    ...(seeds > 1 ? [] : ["One seed: differences are judged by fixed margins, not by their spread over seeds."]),
    ...(engine.level === "machine_to_machine" ? [] : [
      `The engine promises its bits only ${engine.level.replaceAll("_", " ")}: another machine may give others.`,
    ]),
    ...(data.state === "pinned" ? [] : ["The data were not at hand."]),
    "A signature says who claims these results; that training took place as stated is shown only by training again.",
    "The optimizer's moments start at zero in every continued run, which the paper does not say and its follow-up does.",
  ];
}
