import assert from "node:assert/strict";
import { contest, warmUp } from "../../benchmarks/gpu/contest.ts";
import type { GpuPeer } from "../../benchmarks/gpu/peers.ts";
import { gpuTask } from "../../benchmarks/gpu/task.ts";

const TASK = gpuTask("pythia-14m", true);

/** A trainer of a fixed speed, whose losses fall from 10 by 1 a step and a share more or less. */
function peer(name: string, secondsPerStep: number, drift = 0): GpuPeer & { readonly calls: number[] } {
  const calls: number[] = [];
  let step = 0;
  return {
    name,
    threads: 1,
    facts: {},
    unit: "half",
    microBatchSequences: 2,
    calls,
    train(steps) {
      calls.push(steps);
      const losses = Array.from({ length: steps }, () => (10 - step++ / 100) * (1 + drift));
      return Promise.resolve({ seconds: steps * secondsPerStep, losses });
    },
    memoryBytes: () => Promise.resolve(7),
    close: () => Promise.resolve(),
  };
}

Deno.test("warmUp() takes three steps, and makes turns of about one and a half seconds", async () => {
  const fast = peer("fast", 0.1), slow = peer("slow", 60), instant = peer("instant", 1e-6);
  const ready = [await warmUp(fast), await warmUp(slow), await warmUp(instant)];
  assert.deepEqual(ready.map(({ stepsPerRound }) => stepsPerRound), [15, 1, 200]);
  assert.deepEqual(fast.calls, [2, 1]);
  assert.deepEqual(ready[0]?.losses.length, 3);
});

Deno.test("contest() compares losses from each trainer's first step, also of one that trained alone before", async () => {
  const ours = await warmUp(peer("ours", 0.5));
  await contest("alone", TASK, [ours], 2);
  const other = await warmUp(peer("other", 0.25));
  const { speeds, lossDifference } = await contest("both", TASK, [ours, other], 3);
  assert(lossDifference !== null && lossDifference < 1e-12);
  const tokens = TASK.batchSequences * TASK.model.sequenceLength;
  assert.deepEqual(speeds.map(({ trainer, tokensPerSecond, memoryBytes }) => [trainer, tokensPerSecond, memoryBytes]), [
    ["ours", [2 * tokens, 2 * tokens, 2 * tokens], 7],
    ["other", [4 * tokens, 4 * tokens, 4 * tokens], 7],
  ]);
  assert.equal(speeds[0]?.firstLoss, 10);
});

Deno.test("contest() finds trainers that do not learn the same", async () => {
  const trainers = [await warmUp(peer("ours", 1)), await warmUp(peer("other", 1, 0.02))];
  const { lossDifference } = await contest("both", TASK, trainers, 1);
  assert(lossDifference !== null && Math.abs(lossDifference - 0.02) < 1e-9);
});
