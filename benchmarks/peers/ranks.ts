/** Trainers of several processes on one machine, each with a thread and a core of its own. */
import type { TrainingTask } from "../training_task.ts";
import { LineProcess } from "./line_process.ts";
import type { Peer, TimedSteps, Unavailable } from "./peer.ts";
import { sendTask } from "./pytorch.ts";

const PROGRAM = decodeURIComponent(new URL("./ranks_program.ts", import.meta.url).pathname);
const PYTORCH = new URL("./pytorch.py", import.meta.url);

/** What a trainer's first line says: its version, or why it cannot run. */
type Greeting =
  | { readonly version: string; readonly bytesPerStep?: number }
  | { readonly unavailable: string };

/** A trainer of several processes. */
export interface RankedPeer extends Peer {
  readonly ranks: number;
  /** bytes that rank 0 sends to others in a step, where they were counted */
  bytesPerStep?(): Promise<number>;
}

async function opened(
  name: (version: string) => string,
  ranks: number,
  start: () => Promise<LineProcess>,
): Promise<RankedPeer | Unavailable> {
  let process: LineProcess | undefined;
  try {
    process = await start();
    const greeting = await process.receive<Greeting>();
    if ("unavailable" in greeting) {
      await process.close();
      return { name: name("?"), reason: greeting.unavailable };
    }
    const running = process;
    return {
      name: name(greeting.version),
      threads: 1,
      ranks,
      async train(steps) {
        await running.send({ steps });
        return await running.receive<TimedSteps>();
      },
      bytesPerStep: async () => {
        await running.send({ steps: 0 });
        return (await running.receive<{ readonly bytesPerStep: number }>()).bytesPerStep;
      },
      close: () => running.close(),
    };
  } catch (error) {
    await process?.close();
    return { name: name("?"), reason: error instanceof Error ? error.message : String(error) };
  }
}

/** The exact engine by native kernels, over MPI; one rank is a process without MPI. */
export function openRanks(task: TrainingTask, ranks: number, launcher: string): Promise<RankedPeer | Unavailable> {
  const deno = [
    Deno.execPath(),
    "run",
    "--quiet",
    "--allow-read",
    "--allow-env",
    "--allow-sys",
    "--allow-ffi",
    PROGRAM,
  ];
  return opened(
    (version) => ranks === 1 ? "rewarm exact, one process" : `rewarm exact, ${ranks} ranks, ${version}`,
    ranks,
    async () => {
      const root = ["--allow-run-as-root", "--bind-to", "core"];
      const process = ranks === 1
        ? new LineProcess("taskset", ["-c", "0", ...deno])
        : new LineProcess(launcher, [...root, "-n", `${ranks}`, ...deno, "--mpi"]);
      const { model, batchSequences, gradientBlockSequences } = task;
      await process.send({ model, batchSequences, gradientBlockSequences });
      return process;
    },
  );
}

/** PyTorch; several ranks are DistributedDataParallel over gloo. */
export function openPyTorchRanks(
  task: TrainingTask,
  ranks: number,
  python: string,
): Promise<RankedPeer | Unavailable> {
  return opened(
    (version) => `PyTorch ${version}, ${ranks === 1 ? "one process" : `DDP of ${ranks}, gloo`}`,
    ranks,
    async () => {
      const script = [python, "-c", await Deno.readTextFile(PYTORCH)];
      const cores = `0-${ranks - 1}`;
      const process = new LineProcess("taskset", ["-c", cores, ...script]);
      sendTask(process, task, 1, ranks).catch(() => {});
      return process;
    },
  );
}
