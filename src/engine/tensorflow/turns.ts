/**
 * TensorFlow.js computes on one backend at a time, which is a setting of the whole process. Calls of all sessions take
 * turns, so that none finds another's backend set.
 */
import type { Backend } from "./backend.ts";

let last: Promise<unknown> = Promise.resolve();

/** Runs a call on a backend when all earlier calls are done. */
export function inTurn<T>({ tf, registered, guard }: Backend, call: () => Promise<T>): Promise<T> {
  const turn = last.then(async () => {
    if (tf.getBackend() !== registered) await tf.setBackend(registered);
    return await (guard === undefined ? call() : guard(call));
  });
  last = turn.catch(() => {});
  return turn;
}
