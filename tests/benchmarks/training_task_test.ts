import assert from "node:assert/strict";
import { batchOf, CHECK_MODEL, tokensPerStep, trainingTask } from "../../benchmarks/training_task.ts";

Deno.test("trainingTask() gives windows of the model's tokens, another for every batch, the same every time", () => {
  const task = trainingTask(CHECK_MODEL, 4);
  const { vocabularySize, sequenceLength } = CHECK_MODEL;
  for (const batch of task.batches) {
    assert.equal(batch.length, 4 * (sequenceLength + 1));
    assert(batch.every((token) => token < vocabularySize));
  }
  assert.notDeepEqual(batchOf(task, 0), batchOf(task, 1));
  assert.equal(batchOf(task, 0), batchOf(task, task.batches.length));
  assert.deepEqual(trainingTask(CHECK_MODEL, 4), task);
  assert.equal(tokensPerStep(task), 4 * sequenceLength);
});

Deno.test("trainingTask() draws small tokens more often, so that there is something to learn", () => {
  const { batches } = trainingTask(CHECK_MODEL, 4);
  const tokens = batches.flatMap((batch) => [...batch]);
  const small = tokens.filter((token) => token < CHECK_MODEL.vocabularySize / 4).length;
  // √(1/4) of a uniform's squares lie below a quarter.
  assert(Math.abs(small / tokens.length - 0.5) < 0.06, `${small} of ${tokens.length}`);
});
