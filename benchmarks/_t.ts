import { openExact } from "./peers/exact.ts";
import { openTensorFlow } from "./peers/tensorflow.ts";
import { openPyTorch } from "./peers/pytorch.ts";
import { BENCHMARK_MODEL, CHECK_MODEL, trainingTask } from "./training_task.ts";
const big = Deno.args[0] === "big";
const task = big ? trainingTask(BENCHMARK_MODEL, 8) : trainingTask(CHECK_MODEL, 4);
for (
  const p of [
    await openExact(task, 2),
    await openPyTorch(task, 2, Deno.args[1] ?? "python3"),
    await openTensorFlow(task),
  ]
) {
  console.log(p.name, (p as any).reason);
  if ("train" in p) {
    const n = p.name[0] == "T" && big ? 1 : 5;
    console.log(await p.train(n));
    console.log(await p.train(n));
    await p.close();
  }
}
