/** The exact engine in the catalogue: the same bits on every machine, by WebAssembly or by native kernels. */
import { sha256 } from "../../digest/sha256.ts";
import { suggest, UserError } from "../../errors.ts";
import { compactNumber, counted } from "../../text/numbers.ts";
import { type EngineDefinition, engineFamily, largestNeed } from "../definition.ts";
import type { Engine } from "../engine.ts";
import { examine } from "../examination.ts";
import type { KernelCache } from "../kernel_cache.ts";
import { ARITHMETIC_VERSION } from "../ordered/arithmetic.ts";
import { threadCount } from "../threads.ts";
import { createExactEngine, KERNEL_CHOICES, type KernelChoice } from "./engine.ts";
import { planLayout } from "./layout.ts";
import { predictPeakBytes } from "./peak_memory.ts";
import { EVALUATION_WINDOWS } from "./session.ts";

const OPTIONS = {
  threads: { kind: "count", value: "N", help: "threads of the exact engine; changes no bit (default: all cores)" },
  kernels: {
    kind: "text",
    value: "CODE",
    help: "of the exact engine: auto, native or wasm; changes no bit (default: auto, native where Deno may load it)",
  },
} as const;

interface ExactValues {
  readonly threads?: number;
  readonly kernels?: string;
}

/**
 * The code that the engine is to run: native where there is leave to load it, unless told otherwise.
 *
 * @throws {UserError} `UNKNOWN_KERNELS`
 */
export function kernelChoice({ kernels = "auto" }: Pick<ExactValues, "kernels">): KernelChoice {
  const choice = KERNEL_CHOICES.find((name) => name === kernels);
  if (choice !== undefined) return choice;
  throw new UserError("UNKNOWN_KERNELS", `Option "--kernels" is "${kernels}"`, suggest(kernels, KERNEL_CHOICES));
}

function start(values: ExactValues, { cache }: { readonly cache: KernelCache }): Promise<Engine> {
  return createExactEngine({ threads: threadCount(values), kernels: kernelChoice(values), sha256, cache });
}

const exact: EngineDefinition<ExactValues> = {
  identity: { level: "machine_to_machine", arithmetic: ARITHMETIC_VERSION },
  task: "reproduce",
  penalties: true,
  ranks: { task: "reproduce:ranks", unitBlocks: 1 },
  memory: (sessions, values) => {
    const threads = threadCount(values);
    return Promise.resolve(largestNeed(
      sessions,
      (options) => planLayout(options, threads, EVALUATION_WINDOWS).bytes,
      (bytes) => {
        const peak = compactNumber(predictPeakBytes(bytes, threads, false));
        return `the exact engine takes ${peak}B of memory at its peak on ${counted(threads, "thread")}`;
      },
    ));
  },
  start,
  speedHint: async (values, task) => {
    if (kernelChoice(values) !== "auto") return undefined;
    const { nativeHint } = await import("./native/hint.ts");
    return await nativeHint(task);
  },
};

/** Which code computes, its digest, and why this one. */
function describeKernels({ description }: Engine): string {
  const { kernels = "", "instruction set": set = "", "instruction set chosen": reason = "" } = description;
  return `kernels ${set} ${kernels.slice(0, 12)} (${reason})`;
}

/** See above. */
export const exactFamily = engineFamily({
  options: OPTIONS,
  engines: { exact },
  doctor: {
    options: {
      threads: { kind: "count", value: "N", help: "threads to measure with (default: all cores)" },
      kernels: OPTIONS.kernels,
    },
    examine: async (values, host) => [
      await examine("engine exact", async () => {
        const engine = await start(values, host);
        return `${engine.level.replaceAll("_", " ")}, multiply-adds fused ${
          engine.description["fused multiply-add"]
        }, ` +
          `${describeKernels(engine)}, ${await host.measure(engine)}`;
      }),
    ],
  },
});
