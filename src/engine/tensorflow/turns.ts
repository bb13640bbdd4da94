/**
 * TensorFlow.js computes on one backend at a time, which is a setting of the whole process. Calls of all sessions take
 * turns, so that none finds another's backend set.
 */
import type { TensorFlow } from "./api.ts";

let last: Promise<unknown> = Promise.resolve();

/** Runs a call when all earlier ones are done, on a backend by TensorFlow.js's name of it. */
export function inTurn<T>(tf: TensorFlow, backend: string, call: () => Promise<T>): Promise<T> {
  const turn = last.then(async () => {
    if (tf.getBackend() !== backend) await tf.setBackend(backend);
    return await call();
  });
  last = turn.catch(() => {});
  return turn;
}
