import { BENCHMARK_MODEL, CHECK_MODEL, trainingTask } from "./training_task.ts";
import { openTensorFlow } from "./peers/tensorflow.ts";
const task = Deno.args[0] == "big" ? trainingTask(BENCHMARK_MODEL, 8) : trainingTask(CHECK_MODEL, 4);
const ps = [await openTensorFlow(task, "autodiff"), await openTensorFlow(task, "arranged")] as any[];
for (let i = 0; i < 2; i++) for (const p of ps) console.log(p.name, await p.train(1));
for (const p of ps) await p.close();
