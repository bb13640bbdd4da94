/** What launching containers has in common: paths are those in the container, and nothing is written here. */
import { chooseEngine } from "../../../engine/catalogue.ts";
import { UserError } from "../../../errors.ts";
import type { Plan } from "../../../experiment/plan/plan.ts";
import { usefulParallelism } from "../../../launch/jobs.ts";
import type { ContainerLaunch } from "../../../launch/container_launch.ts";
import { imageOutput, pinnedImage } from "../../../launch/image.ts";
import { jobNameFor } from "../../../launch/kubernetes/names.ts";
import { printWarning } from "../../../terminal.ts";
import type { Values } from "../../arguments.ts";
import { planFromOptions } from "../../options/plan_options.ts";
import { SOURCE_OPTIONS } from "../../options/source_options.ts";
import { LAUNCH_OPTIONS, type LaunchValues, planWords, workerWords } from "./options.ts";

/** See above. */
export const CONTAINER_OPTIONS = {
  ...LAUNCH_OPTIONS,
  "max-parallel": { kind: "count", value: "N", help: "workers (default: as many as shorten the plan)" },
  out: { kind: "text", value: "NAME", help: "output folder in the shared volume (default: SCALE)" },
  image: { kind: "text", value: "NAME@sha256:…", help: "the container image by its digest (docs/container.md)" },
  name: { kind: "text", value: "NAME", help: "of the job (default: rewarm-SCALE)" },
} as const;

/** A launch with what the command says about it. */
export interface PlannedContainers extends ContainerLaunch {
  readonly workers: number;
  readonly gpu: boolean;
  readonly plan: Plan;
}

/**
 * Reads the options. The plan serves to count workers, so that no data need be here; the workers plan again.
 *
 * @param values with paths as they were typed: they are the container's
 */
export async function containerLaunch(values: Values<typeof CONTAINER_OPTIONS>): Promise<PlannedContainers> {
  if (values.ranks !== undefined) {
    throw new UserError(
      "UNUSED_OPTION",
      '"--ranks" is for Slurm, which starts the processes of a run together',
      "leave it out: each container trains runs of its own, which needs no fabric between them",
    );
  }
  const image = pinnedImage(values.image);
  const plan = await planFromOptions(withoutPlaces(values));
  const output = imageOutput(values.out, plan.scale.name);
  const wanted = values.name ?? `rewarm-${plan.scale.name}`;
  const name = jobNameFor(wanted);
  if (name !== wanted) printWarning(`The job's name is "${name}": schedulers do not take "${wanted}"`);
  return {
    name,
    image,
    output,
    workers: values["max-parallel"] ?? usefulParallelism(plan),
    words: workerWords(values, (path) => path),
    planWords: planWords(values, (path) => path),
    gpu: chooseEngine(values).task === "reproduce:cuda",
    plan,
  };
}

function withoutPlaces(values: LaunchValues): LaunchValues {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !Object.hasOwn(SOURCE_OPTIONS, name)));
}
