/** `deno task plan`: what a reproduction would train, and what it would cost, before anything starts. */
import { planLayout } from "../engine/exact/layout.ts";
import { predictPeakBytes } from "../engine/exact/peak_memory.ts";
import { EVALUATION_WINDOWS } from "../engine/exact/session.ts";
import { EXIT } from "../errors.ts";
import type { Plan } from "../experiment/plan.ts";
import { planToJson } from "../experiment/plan_json.ts";
import { compactNumber, formatPlan } from "../experiment/plan_text.ts";
import { sessionOptions } from "../train/train_plan.ts";
import { parseCommandLine, type Values } from "./arguments.ts";
import type { Command } from "./command.ts";
import { PLAN_OPTIONS, planFromOptions } from "./plan_options.ts";
import { threadCount } from "./settings.ts";

/** Peak memory of the exact engine over all runs, or why it cannot hold the model. */
function memoryLine(plan: Plan, threads: number): string {
  try {
    const bytes = plan.runs.map((run) => planLayout(sessionOptions(run), threads, EVALUATION_WINDOWS).bytes);
    const peak = predictPeakBytes(Math.max(...bytes), threads, false);
    return `the exact engine takes ${compactNumber(peak)}B of memory at its peak on ${threads} threads`;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

/** Prints the plan of some options. */
export async function showPlan(values: Values<typeof PLAN_OPTIONS>): Promise<void> {
  const plan = await planFromOptions(values);
  if (values.json === true) console.log(JSON.stringify(planToJson(plan), null, 2));
  else console.log(`${formatPlan(plan)}\n${memoryLine(plan, threadCount(values.threads))}`);
}

/** `plan` */
export const plan: Command = {
  summary: "shows the runs of a scale with steps, tokens and FLOPs, and trains nothing",
  usage: "[options]",
  options: PLAN_OPTIONS,
  run: async (args) => {
    await showPlan(parseCommandLine(args, PLAN_OPTIONS).values);
    return EXIT.ok;
  },
};
