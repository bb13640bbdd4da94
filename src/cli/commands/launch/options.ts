/** What all schedulers have in common: the plan, its folder, and how many workers. */
import { chooseEngine, ENGINE_OPTIONS } from "../../../engine/catalogue.ts";
import { UserError } from "../../../errors.ts";
import type { Plan } from "../../../experiment/plan/plan.ts";
import type { Values } from "../../arguments.ts";
import { PLAN_OPTIONS, planFromOptions } from "../../options/plan_options.ts";
import { wordsOf } from "../../options/plan_words.ts";
import { SOURCE_OPTIONS } from "../../options/source_options.ts";

const { json: _, ...CHOICES } = PLAN_OPTIONS;

/** What a worker is told, who reads the plan from its folder: where data are, and how the engine works. */
const WORKER_OPTIONS = {
  scale: PLAN_OPTIONS.scale,
  ...SOURCE_OPTIONS,
  ...ENGINE_OPTIONS,
  "accept-other-device": { kind: "flag", help: "workers resume 16-bit runs on another GPU or driver" },
} as const;

/** See above. */
export const LAUNCH_OPTIONS = {
  ...CHOICES,
  ...WORKER_OPTIONS,
  "max-parallel": { kind: "count", value: "N", help: "at most so many runs at a time" },
  ranks: { kind: "count", value: "N", help: "slurm: so many processes share every step of a run, over MPI" },
} as const;

/** Values of them. */
export type LaunchValues = Values<typeof LAUNCH_OPTIONS>;

/**
 * Words for a worker.
 *
 * @param place a path as the worker finds it; by default this machine's, whole
 */
export function workerWords(values: LaunchValues, place?: (path: string) => string): string[] {
  return wordsOf(WORKER_OPTIONS, values, place);
}

/** Words for whoever writes the plan, in the same way. */
export function planWords(values: LaunchValues, place?: (path: string) => string): string[] {
  return wordsOf(CHOICES, values, place);
}

/** Task of deno.json that trains with the chosen engine; the exact one by native kernels, where it may load them. */
export function workerTask(values: LaunchValues): string {
  const { task } = chooseEngine(values);
  return task === "reproduce" ? "reproduce:native" : task;
}

/**
 * The plan that is launched.
 *
 * @throws {UserError} `DATA_NOT_FETCHED` where its keys are not known yet
 */
export async function plannedForLaunch(values: LaunchValues): Promise<Plan> {
  const plan = await planFromOptions(values);
  if (plan.data.state === "pinned" && plan.start?.state !== "not fetched") return plan;
  throw new UserError(
    "DATA_NOT_FETCHED",
    `The scale "${plan.scale.name}" has data or models that are not here, so that the keys of its runs are not known`,
    `fetch them first: deno task data fetch --scale ${plan.scale.name}`,
  );
}
