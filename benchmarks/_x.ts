import { trainingTask, CHECK_MODEL, BENCHMARK_MODEL } from "./training_task.ts";
const { openTensorFlow } = await import(Deno.args[0]!);
const task = trainingTask(BENCHMARK_MODEL, 8);
const p = await openTensorFlow(task); console.log(await p.train(1), await p.train(2));
