/** Trainers that take turns on one GPU: the project's engines, and PyTorch in a process of its own. */
import type { Engine } from "../../src/engine/engine.ts";
import { parameterShapes } from "../../src/model/parameters.ts";
import { LineProcess } from "../peers/line_process.ts";
import type { Peer, TimedSteps } from "../peers/peer.ts";
import type { PartContext } from "./part.ts";
import { pythonProgram } from "./python.ts";
import type { Speed } from "./results.ts";
import type { GpuTask } from "./task.ts";
import { openTraining } from "./training.ts";

/** A trainer with what the results say of it. */
export interface GpuPeer extends Peer {
  readonly facts: Speed["facts"];
  readonly unit: Speed["unit"];
  readonly microBatchSequences: number;
  memoryBytes(): Promise<number>;
}

/** One of the project's engines in this process; the caller closes the engine. */
export async function openRewarm(engine: Engine, task: GpuTask): Promise<GpuPeer> {
  const session = await openTraining(engine, task);
  let step = 0;
  return {
    name: `rewarm ${engine.name}`,
    threads: 1,
    facts: { arithmetic: engine.arithmetic, ...engine.description },
    unit: engine.level === "machine_to_machine" ? "f32" : "half",
    microBatchSequences: task.microBatchSequences,
    async train(steps) {
      const losses: number[] = [];
      const start = performance.now();
      for (const last = step + steps; step < last; step++) {
        const tokens = task.batches[step % task.batches.length] ?? new Uint16Array();
        losses.push((await session.step(tokens, task.learningRate, step)).loss);
      }
      return { seconds: (performance.now() - start) / 1000, losses };
    },
    memoryBytes: () => Promise.resolve(session.memoryBytes),
    close: () => Promise.resolve(session.close()),
  };
}

/** How PyTorch compiles: `torch.compile`'s mode, or not at all. */
export type CompileMode = "default" | "reduce-overhead" | "eager";

type Greeting =
  | { readonly version: string; readonly facts: Speed["facts"]; readonly microBatchSequences: number }
  | { readonly unavailable: string };

/** A file with arrays' bytes, one after the other. */
async function writeArrays(path: string, arrays: readonly (Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>)[]) {
  const bytes = arrays.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
  await Deno.writeFile(path, new Blob(bytes).stream());
  return { file: path, length: arrays.reduce((sum, { length }) => sum + length, 0) };
}

/** Starts PyTorch on the task; a string says why it cannot be had. */
export async function openTorch(
  task: GpuTask,
  mode: CompileMode,
  { settings, folder }: PartContext,
): Promise<GpuPeer | string> {
  let process: LineProcess;
  try {
    process = new LineProcess(settings.python, [pythonProgram("torch_trainer.py")]);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `"${settings.python}" is not on this machine`;
    throw error;
  }
  try {
    const { model, optimizer, learningRate, batchSequences, microBatchSequences, noise, batches } = task;
    await process.send({
      ...{ model, optimizer, learningRate, batchSequences, microBatchSequences, mode },
      parameters: parameterShapes(model),
      noise: await writeArrays(`${folder}/noise.bin`, [noise]),
      tokens: await writeArrays(`${folder}/tokens.bin`, batches),
    }).catch(() => {}); // it may have ended already, having said why
    const greeting = await process.receive<Greeting>();
    if ("unavailable" in greeting) {
      await process.close();
      return greeting.unavailable;
    }
    return {
      name: `PyTorch ${greeting.version}, ${mode === "eager" ? "eager" : `torch.compile ${mode}`}`,
      threads: 1,
      facts: greeting.facts,
      unit: "half",
      microBatchSequences: greeting.microBatchSequences,
      async train(steps) {
        await process.send({ steps });
        return await process.receive<TimedSteps>();
      },
      async memoryBytes() {
        await process.send({ memory: true });
        return (await process.receive<{ bytes: number }>()).bytes;
      },
      close: () => process.close(),
    };
  } catch (error) {
    await process.close();
    return error instanceof Error ? error.message : String(error);
  }
}
