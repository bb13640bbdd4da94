/** rewarm's own exact engine as one of the measured trainers. */
import { sha256 } from "../../src/digest/sha256.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import { batchOf, type TrainingTask } from "../training_task.ts";
import type { Peer } from "./peer.ts";

/** Starts the exact engine; it runs wherever Deno does. */
export async function openExact(task: TrainingTask, threads: number): Promise<Peer> {
  const { model, optimizer, batchSequences, learningRate, weights } = task;
  const engine = await createExactEngine({ threads, sha256 });
  const session = await engine.open({ model, optimizer, batchSequences, gradientBlockSequences: 2 });
  await session.writeState((state) => state.weights.set(weights));
  let step = 0;
  return {
    name: `rewarm ${engine.name} (${engine.arithmetic})`,
    threads,
    async train(steps) {
      const losses: number[] = [];
      const start = performance.now();
      for (const last = step + steps; step < last; step++) {
        losses.push((await session.step(batchOf(task, step), learningRate, step)).loss);
      }
      return { seconds: (performance.now() - start) / 1000, losses };
    },
    close() {
      session.close();
      return Promise.resolve();
    },
  };
}
