/** The exact engine, which runs wherever Deno does, by each kind of code that this machine runs. */
import { sha256 } from "../../src/digest/sha256.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import { INSTRUCTION_SETS, type InstructionSetFacts } from "../../src/engine/exact/native/instruction_sets.ts";
import { UserError } from "../../src/errors.ts";
import type { TrainingTask } from "../training_task.ts";
import { enginePeer } from "./engine.ts";
import type { Peer, Unavailable } from "./peer.ts";

/** Starts it on WebAssembly's kernels. */
export async function openExact(task: TrainingTask, threads: number): Promise<Peer> {
  const engine = await createExactEngine({ threads, sha256 });
  return await enginePeer(engine, task, "rewarm exact, WebAssembly", threads);
}

/** The instruction sets that native kernels may have on this kind of machine. */
export const NATIVE_SETS = INSTRUCTION_SETS.filter(({ name }) => (name === "neon") === (Deno.build.arch === "aarch64"));

/** Starts it on native kernels of one instruction set. */
export async function openNative(
  task: TrainingTask,
  threads: number,
  { name: instructionSet, title }: InstructionSetFacts,
): Promise<Peer | Unavailable> {
  const name = `rewarm exact, native ${title}`;
  try {
    const engine = await createExactEngine({ threads, sha256, kernels: "native", instructionSet });
    return await enginePeer(engine, task, name, threads);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { name, reason: error.message };
  }
}
