/** The engines that `--engine` may name: what each promises, what it needs, and how it is started. */
import type { Engine } from "../engine/engine.ts";
import { createExactEngine, KERNEL_CHOICES, type KernelChoice } from "../engine/exact/engine.ts";
import { planLayout } from "../engine/exact/layout.ts";
import { predictPeakBytes } from "../engine/exact/peak_memory.ts";
import { EVALUATION_WINDOWS } from "../engine/exact/session.ts";
import { ARITHMETIC_VERSION } from "../engine/ordered/arithmetic.ts";
import { TENSORFLOW_IDENTITY } from "../engine/tensorflow/identity.ts";
import { sha256 } from "../digest/sha256.ts";
import { suggest, UserError } from "../errors.ts";
import type { Plan } from "../experiment/plan.ts";
import { compactNumber } from "../experiment/plan_text.ts";
import type { RunSpecification } from "../experiment/run.ts";
import { sessionOptions } from "../train/train_plan.ts";
import type { Values } from "./arguments.ts";
import { kernelCache } from "./settings.ts";
import { printError } from "../terminal.ts";

/** Options of every command that starts an engine. */
export const ENGINE_OPTIONS = {
  engine: {
    kind: "text",
    value: "NAME",
    help: "exact, tensorflow, or on a GPU cuda-ordered, cuda-bf16, cuda-fp16 (default: exact)",
  },
  backend: { kind: "text", value: "NAME", help: "of tensorflow: tfjs-node-gpu, tfjs-node, webgpu, wasm, cpu" },
  threads: { kind: "count", value: "N", help: "threads of the exact engine; changes no bit (default: all cores)" },
  kernels: {
    kind: "text",
    value: "CODE",
    help: "of the exact engine: auto, native or wasm; changes no bit (default: auto, native where Deno may load it)",
  },
  device: { kind: "text", value: "N", help: "which GPU, from 0 (default: 0)" },
  recompute: { kind: "flag", help: "cuda-bf16, cuda-fp16: less memory for a third more arithmetic; changes no bit" },
  "cuda-lib": { kind: "list", value: "DIR…", path: true, help: "folders to look for NVIDIA's libraries in first" },
} as const;

/** Options that choose an engine and how it works. */
export type EngineValues = Values<typeof ENGINE_OPTIONS>;

/** An engine before it is started. */
export interface EngineChoice {
  /** as `--engine` names it */
  readonly name: string;
  /** enters the key of every run */
  readonly identity: RunSpecification["engine"];
  /** What a plan's largest run takes, in a sentence. */
  readonly memory: (plan: Plan, values: EngineValues) => Promise<string>;
  /** Starts it. */
  readonly start: (values: EngineValues) => Promise<Engine>;
}

const MOST_THREADS = 64;

/** Threads to train with: all the machine has, unless told otherwise. */
export function threadCount({ threads }: Pick<EngineValues, "threads">): number {
  const count = threads ?? Math.min(MOST_THREADS, navigator.hardwareConcurrency);
  if (count > MOST_THREADS) {
    throw new UserError("TOO_MANY_THREADS", `--threads is ${count}`, `the exact engine takes at most ${MOST_THREADS}`);
  }
  return count;
}

/**
 * The code that the exact engine is to run: native where there is leave to load it, unless told otherwise.
 *
 * @throws {UserError} `UNKNOWN_KERNELS`
 */
export function kernelChoice({ kernels = "auto" }: Pick<EngineValues, "kernels">): KernelChoice {
  const choice = KERNEL_CHOICES.find((name) => name === kernels);
  if (choice !== undefined) return choice;
  throw new UserError("UNKNOWN_KERNELS", `Option "--kernels" is "${kernels}"`, suggest(kernels, KERNEL_CHOICES));
}

const exact: EngineChoice = {
  name: "exact",
  identity: { level: "machine_to_machine", arithmetic: ARITHMETIC_VERSION },
  memory: (plan, values) => {
    const threads = threadCount(values);
    const bytes = largest(plan, (options) => planLayout(options, threads, EVALUATION_WINDOWS).bytes);
    if (typeof bytes === "string") return Promise.resolve(bytes);
    const peak = compactNumber(predictPeakBytes(bytes, threads, false));
    return Promise.resolve(`the exact engine takes ${peak}B of memory at its peak on ${threads} threads`);
  },
  start: (values) =>
    createExactEngine({ threads: threadCount(values), kernels: kernelChoice(values), sha256, cache: kernelCache }),
};

const cudaOrdered: EngineChoice = {
  name: "cuda-ordered",
  identity: { level: "machine_to_machine", arithmetic: ARITHMETIC_VERSION },
  memory: async (plan) => {
    const { planOrderedMemory } = await import("../engine/cuda/ordered/memory.ts");
    const bytes = largest(plan, (options) => planOrderedMemory(options).bytes);
    return typeof bytes === "string"
      ? bytes
      : `the engine cuda-ordered takes ${compactNumber(bytes)}B of a GPU's memory`;
  },
  start: async (values) => {
    const { createOrderedCudaEngine } = await import("../engine/cuda/ordered/engine.ts");
    return await createOrderedCudaEngine(cudaOptions(values));
  },
};

function cudaMixed(precision: "bf16" | "fp16"): EngineChoice {
  return {
    name: `cuda-${precision}`,
    // As `mixedArithmetic` has it, which is not loaded before it is needed; a test holds the two together.
    identity: { level: "run_to_run", arithmetic: `mixed-${precision}/1` },
    memory: async (plan, { recompute = false }) => {
      const { planMixedMemory } = await import("../engine/cuda/mixed/memory.ts");
      const bytes = largest(plan, (options) => planMixedMemory(options, { recompute, gemm: "cuBLASLt" }).bytes);
      if (typeof bytes === "string") return bytes;
      return `the engine cuda-${precision} takes ${compactNumber(bytes)}B of a GPU's memory`;
    },
    start: async (values) => {
      const { createMixedCudaEngine } = await import("../engine/cuda/mixed/engine.ts");
      return createMixedCudaEngine({
        ...cudaOptions(values),
        precision,
        ...(values.recompute === true ? { recompute: true } : {}),
      });
    },
  };
}

/** What the CUDA engines are told. */
function cudaOptions({ device, "cuda-lib": libraryFolders = [] }: EngineValues) {
  if (device !== undefined && !/^\d{1,3}$/.test(device)) {
    throw new UserError("BAD_NUMBER", `Option "--device" is "${device}"`, "expected the number of a GPU, from 0");
  }
  return { libraryFolders, cache: kernelCache, ...(device === undefined ? {} : { ordinal: Number(device) }) };
}

/** The largest of all runs' needs, or why one cannot be held. */
function largest(plan: Plan, bytesOf: (options: ReturnType<typeof sessionOptions>) => number): number | string {
  try {
    return Math.max(...plan.runs.map((run) => bytesOf(sessionOptions(run))));
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

const tensorflow: EngineChoice = {
  name: "tensorflow",
  identity: TENSORFLOW_IDENTITY,
  memory: async (plan) => {
    const { ONE_THREAD_LIMITS, planMemory } = await import("../engine/tensorflow/memory.ts");
    const bytes = largest(plan, (options) => planMemory(options, "wasm", ONE_THREAD_LIMITS).bytes);
    return typeof bytes === "string"
      ? bytes
      : `the engine tensorflow takes ${compactNumber(bytes)}B for tensors on one thread, more on a GPU`;
  },
  start: async ({ backend }) => {
    const { createTensorFlowEngine, describeBackend } = await import("../engine/tensorflow/engine.ts");
    const engine = await createTensorFlowEngine(backend === undefined ? {} : { backend });
    printError(describeBackend(engine));
    return engine;
  },
};

const ENGINES: readonly EngineChoice[] = [exact, cudaOrdered, cudaMixed("bf16"), cudaMixed("fp16"), tensorflow];

/**
 * The engine that options name.
 *
 * @throws {UserError} `UNKNOWN_ENGINE` with the nearest match
 */
export function chooseEngine({ engine: name = exact.name }: Pick<EngineValues, "engine">): EngineChoice {
  const choice = ENGINES.find((candidate) => candidate.name === name);
  if (choice !== undefined) return choice;
  throw new UserError(
    "UNKNOWN_ENGINE",
    `Unknown engine "${name}"`,
    suggest(name, ENGINES.map((engine) => engine.name)),
  );
}

/** Starts the engine that options name. */
export async function startEngine(values: EngineValues): Promise<Engine> {
  return await chooseEngine(values).start(values);
}
