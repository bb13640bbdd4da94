/** The exact engine, which runs wherever Deno does. */
import { sha256 } from "../../src/digest/sha256.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import type { TrainingTask } from "../training_task.ts";
import { enginePeer } from "./engine.ts";
import type { Peer } from "./peer.ts";

/** Starts it. */
export async function openExact(task: TrainingTask, threads: number): Promise<Peer> {
  const engine = await createExactEngine({ threads, sha256 });
  return await enginePeer(engine, task, `rewarm ${engine.name} (${engine.arithmetic})`, threads);
}
