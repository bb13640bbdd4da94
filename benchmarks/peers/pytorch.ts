/** PyTorch on the CPU, in a process of its own: `pytorch.py` beside this file, driven by lines of JSON. */
import { parameterShapes } from "../../src/model/parameters.ts";
import type { TrainingTask } from "../training_task.ts";
import { LineProcess } from "./line_process.ts";
import type { Peer, TimedSteps, Unavailable } from "./peer.ts";

const NAME = "PyTorch, CPU";
const OVERRIDDEN = "PyTorch, CPU, MKL told to use AVX-512";
const SCRIPT = new URL("./pytorch.py", import.meta.url);

/** Answers of the process to the task, and to each request after it. */
type Greeting = { readonly version: string } | { readonly unavailable: string };

function bytesOf(array: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** A task as the process reads it. */
export async function sendTask(
  python: LineProcess,
  task: TrainingTask,
  threads: number,
  ranks?: number,
): Promise<void> {
  const { model, optimizer, batchSequences, learningRate, weights, batches } = task;
  await python.send({
    model,
    optimizer,
    batchSequences,
    learningRate,
    threads,
    ranks,
    parameters: parameterShapes(model),
    batches: batches.length,
  });
  await python.write(bytesOf(weights));
  for (const batch of batches) await python.write(bytesOf(batch));
}

/**
 * Starts the peer; unavailable where there is no such interpreter, no permission to run it, or no PyTorch in it.
 *
 * @param python name or path of the interpreter
 * @param preload library that the process loads before its own: mkl.ts
 */
export async function openPyTorch(
  task: TrainingTask,
  threads: number,
  python: string,
  preload?: string,
): Promise<Peer | Unavailable> {
  const name = preload === undefined ? NAME : OVERRIDDEN;
  const { state } = await Deno.permissions.request({ name: "run", command: python });
  if (state !== "granted") {
    const reason = `"${python}" may not be run; put the folder of that python3 first in PATH instead`;
    return { name, reason };
  }
  let process: LineProcess | undefined;
  try {
    // The script goes in by -c, so that the process needs no path of this project.
    const script = ["-c", await Deno.readTextFile(SCRIPT)];
    // By `env`, since Deno itself sets LD_PRELOAD only for processes that may run anything.
    process = preload === undefined
      ? new LineProcess(python, script)
      : new LineProcess("env", [`LD_PRELOAD=${preload}`, python, ...script]);
    // A process without PyTorch answers without reading: what cannot be written then is no error of its own.
    const sent = sendTask(process, task, threads).catch(() => {});
    const greeting = await process.receive<Greeting>();
    if ("unavailable" in greeting) {
      await process.close();
      return { name, reason: greeting.unavailable };
    }
    await sent;
    return runningPeer(process, name.replace("PyTorch", `PyTorch ${greeting.version}`), threads);
  } catch (error) {
    await process?.close();
    return { name, reason: `"${python}": ${error instanceof Error ? error.message : String(error)}` };
  }
}

function runningPeer(process: LineProcess, name: string, threads: number): Peer {
  return {
    name,
    threads,
    async train(steps) {
      await process.send({ steps });
      return await process.receive<TimedSteps>();
    },
    close: () => process.close(),
  };
}
