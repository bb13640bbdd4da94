/**
 * The paper's schedule beside the cosine that later versions of GPT-NeoX have, as tab-separated values for a plot.
 *
 * deno run examples/learning_rates.ts 100
 */
import { learningRate } from "../mod.ts";

const steps = Number(Deno.args[0] ?? 100);
const shape = { totalSteps: steps, warmupSteps: steps / 100, maxLearningRate: 3e-4, minLearningRate: 3e-5 };
console.log("step\tpaper\tcosine");
for (let step = 0; step < steps; step++) {
  const rates = (["paper", "cosine"] as const).map((kind) => learningRate({ kind, ...shape }, step));
  console.log([step, ...rates].join("\t"));
}
