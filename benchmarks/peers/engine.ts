/** An engine of rewarm's as one of the measured trainers. */
import type { Engine } from "../../src/engine/engine.ts";
import { batchOf, type TrainingTask } from "../training_task.ts";
import type { Peer } from "./peer.ts";

/**
 * Opens a session of the task.
 *
 * @param name for tables, with what tells it from the engine's other peers
 */
export async function enginePeer(engine: Engine, task: TrainingTask, name: string, threads: number): Promise<Peer> {
  const { model, optimizer, batchSequences, gradientBlockSequences, learningRate, weights } = task;
  const session = await engine.open({ model, optimizer, batchSequences, gradientBlockSequences });
  await session.writeState((state) => state.weights.set(weights));
  let step = 0;
  return {
    name,
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
      engine.close?.();
      return Promise.resolve();
    },
  };
}
