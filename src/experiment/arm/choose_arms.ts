/** Which arms of the catalogue a plan holds, by the names of experiments and arms. */
import { suggest, UserError } from "../../errors.ts";
import type { Experiment } from "../schema.ts";
import type { PlannedStart } from "./start.ts";

/** Pre-training that `start: { kind: pretrained }` refers to. */
export const PRETRAINING_ARM = { experiment: "upstream", arm: "pretrain" } as const;

/**
 * Chosen arms as `experiment/arm`.
 *
 * @param usual experiments that are meant where nothing is named
 * @throws {UserError} `UNKNOWN_EXPERIMENT`, `UNKNOWN_ARM` with the nearest match; `NO_PRETRAINING`
 */
export function chooseArms(
  catalogue: readonly Experiment[],
  only: readonly string[],
  start: PlannedStart | undefined,
  usual: readonly string[],
): ReadonlySet<string> {
  const arms = catalogue.flatMap(({ name, arms }) => Object.keys(arms).map((arm) => `${name}/${arm}`));
  if (only.length === 0) return new Set(arms.filter((arm) => usual.includes(arm.slice(0, arm.indexOf("/")))));
  const experiments = catalogue.map(({ name }) => name);
  return new Set(only.flatMap((wanted) => {
    const matches = arms.filter((arm) => arm === wanted || arm.startsWith(`${wanted}/`));
    if (matches.length > 0) return matches;
    const [experiment = ""] = wanted.split("/");
    if (start !== undefined && experiment === PRETRAINING_ARM.experiment) {
      throw new UserError(
        "NO_PRETRAINING",
        `"${wanted}" is not trained where runs start from models of others`,
        "add --start train",
      );
    }
    if (wanted.includes("/") && experiments.includes(experiment)) {
      const known = arms.filter((arm) => arm.startsWith(`${experiment}/`));
      throw new UserError("UNKNOWN_ARM", `Unknown arm "${wanted}"`, suggest(wanted, known));
    }
    throw new UserError("UNKNOWN_EXPERIMENT", `Unknown experiment "${wanted}"`, suggest(experiment, experiments));
  }));
}
