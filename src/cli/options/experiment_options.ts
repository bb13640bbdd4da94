/** The user's own experiments, as an option of every command that plans, trains or judges. */
import { pathToFileURL } from "node:url";
import type { ExperimentFolders } from "../../experiment/catalogue.ts";
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

/** Where experiments are read from. */
export function foldersFromOptions({ experiments }: Values<typeof EXPERIMENT_OPTIONS>): ExperimentFolders {
  return experiments === undefined ? {} : { ownExperiments: pathToFileURL(`${experiments}/`) };
}
