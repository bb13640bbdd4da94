/**
 * An experiment of your own: how many steps and FLOPs it adds at a scale.
 *
 * deno run --allow-read examples/plan_your_own.ts examples/experiments smoke
 */
import { formatPlan, plan } from "../mod.ts";

const [folder = "examples/experiments", scale = "smoke"] = Deno.args;
const engine = { level: "machine_to_machine", arithmetic: "ordered-f32/1" } as const;
const ownExperiments = new URL(`file://${await Deno.realPath(folder)}/`);

const without = await plan({ scale, seeds: 1, engine });
const whole = await plan({ scale, seeds: 1, engine, ownExperiments });
console.log(formatPlan(whole));
console.log(`your experiments add ${whole.totals.steps - without.totals.steps} steps`);
