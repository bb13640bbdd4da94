/** What a trainer must do to be measured beside the others. */
import type { TrainingTask } from "../training_task.ts";

/** Consecutive training steps, timed by the trainer itself: start, transfers and reporting are not counted. */
export interface TimedSteps {
  readonly seconds: number;
  /** loss of every step before its update, nats a token */
  readonly losses: readonly number[];
}

/** A trainer that holds the task's model and continues where its last call ended. */
export interface Peer {
  /** with the version that runs */
  readonly name: string;
  readonly threads: number;
  train(steps: number): Promise<TimedSteps>;
  close(): Promise<void>;
}

/** A peer that this machine cannot run. */
export interface Unavailable {
  readonly name: string;
  readonly reason: string;
}

/** Starts a peer on a task, or says why it cannot be had. */
export type OpenPeer = (task: TrainingTask) => Promise<Peer | Unavailable>;

/** Whether a peer can be measured. */
export function isAvailable(peer: Peer | Unavailable): peer is Peer {
  return "train" in peer;
}
