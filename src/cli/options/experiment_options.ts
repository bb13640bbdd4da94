/** The user's own experiments, as an option of every command that plans, trains or judges. */
import { pathToFileURL } from "node:url";
import { suggest, UserError } from "../../errors.ts";
import { EXPERIMENT_SETS, type ExperimentFolders } from "../../experiment/catalogue.ts";
import type { Values } from "../arguments.ts";

/** See above. */
export const EXPERIMENT_OPTIONS = {
  experiments: {
    kind: "text",
    value: "DIR",
    path: true,
    help: "folder of experiments of your own, as YAML, beside rewarm's",
  },
} as const;

/** Where experiments are read from, and which of rewarm's are meant where a command lets that be chosen. */
export function foldersFromOptions(
  { experiments, set }: Values<typeof EXPERIMENT_OPTIONS> & { readonly set?: string },
): ExperimentFolders {
  return {
    ownExperiments: experiments === undefined ? undefined : pathToFileURL(`${experiments}/`),
    set: set === undefined ? undefined : setNamed(set),
  };
}

function setNamed(name: string): NonNullable<ExperimentFolders["set"]> {
  const set = EXPERIMENT_SETS.find((known) => known === name);
  if (set !== undefined) return set;
  throw new UserError("UNKNOWN_SET", `Unknown set of experiments "${name}"`, suggest(name, EXPERIMENT_SETS));
}
