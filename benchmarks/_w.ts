import { openExact } from "./peers/exact.ts";
import { openTensorFlow } from "./peers/tensorflow.ts";
import { trainingTask, CHECK_MODEL } from "./training_task.ts";
import { parameterShapes } from "../src/model/parameters.ts";
for (const zero of ["none","dense_4h_to_h","attention.dense","query_key_value"]) {
  const task = trainingTask({...CHECK_MODEL, layers:1}, 4);
  for (const p of parameterShapes(task.model)) if (p.name.includes(zero)) task.weights.fill(0,p.offset,p.offset+p.size);
  if (zero==="query_key_value") for (const p of parameterShapes(task.model)) if (p.name.includes("dense_4h")) task.weights.fill(0,p.offset,p.offset+p.size);
  const l=[]; for (const p of [await openExact(task, 2), await openTensorFlow(task)]) { if ("train" in p) { l.push((await p.train(1)).losses[0]!); await p.close(); } }
  console.log(zero, l, l[1]!/l[0]!-1);
}
