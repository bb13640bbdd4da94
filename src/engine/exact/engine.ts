/** The exact engine: ordered f32 arithmetic on all cores, the same bits on every machine, by native or portable code. */
import { withLineFeeds } from "../../digest/line_ends.ts";
import { fetchOwnFile } from "../../files/fetch_own_file.ts";
import type { Engine, Session, SessionOptions } from "../engine.ts";
import type { KernelCache } from "../kernel_cache.ts";
import { ARITHMETIC_VERSION } from "../ordered/arithmetic.ts";
import {
  compileKernels,
  fmaIsFused,
  type FmaKind,
  instantiateKernels,
  KERNEL_FILES,
  kernelIdentity,
  kernelModules,
  type MemoryKind,
} from "./kernels.ts";
import { UserError } from "../../errors.ts";
import type { KernelCode } from "./kernel_code.ts";
import { planLayout, WEBASSEMBLY_LIMIT } from "./layout.ts";
import type { InstructionSet } from "./native/instruction_sets.ts";
import { predictPeakBytes } from "./peak_memory.ts";
import { EVALUATION_WINDOWS, ExactSession, type ThreadOptions } from "./session.ts";

/** Which code computes: native where it can be had and WebAssembly elsewhere, or one of them. No choice changes a bit. */
export type KernelChoice = "auto" | "native" | "wasm";

/** What `--kernels` may say. */
export const KERNEL_CHOICES: readonly KernelChoice[] = ["auto", "native", "wasm"];

/** What a caller may choose; none of it changes a bit. */
export interface ExactEngineOptions extends ThreadOptions {
  /** without one, kernels are compiled at every start */
  readonly cache?: KernelCache;
  /** `"emulated"` computes fused multiply-adds without the CPU's instruction; default: emulated only if it must be */
  readonly fma?: FmaKind;
  /** default: WebAssembly, which needs no permission */
  readonly kernels?: KernelChoice;
  /** `"unshared"` needs no platform that shares memory, and takes one thread: the calling one; default: shared */
  readonly memory?: MemoryKind;
  /** of native kernels; default: the best that the processor has */
  readonly instructionSet?: InstructionSet;
  /** SHA-256 of a string, in hexadecimal */
  readonly sha256: (text: string) => string;
}

/** Sources of the kernels, from beside this module, with LF whatever the checkout has. */
export async function readKernelSources(): Promise<Map<string, string>> {
  const entries = await Promise.all(KERNEL_FILES.map(async (name): Promise<[string, string]> => {
    const bytes = await fetchOwnFile(`src/engine/exact/kernels/${name}`);
    return [name, withLineFeeds(new TextDecoder().decode(bytes))];
  }));
  return new Map(entries);
}

/** A compiled module with what it was made from. */
interface Compiled {
  readonly module: WebAssembly.Module;
  readonly digest: string;
  readonly fma: FmaKind;
  /** false if the binary came from the cache */
  readonly isFresh: boolean;
}

async function compile(
  files: ReadonlyMap<string, string>,
  fma: FmaKind,
  { cache, sha256, memory }: ExactEngineOptions,
): Promise<Compiled> {
  const modules = kernelModules(files, fma);
  const digest = sha256(kernelIdentity(modules, memory));
  const cached = await cache?.get(digest);
  const binary = cached ?? await compileKernels(modules, memory);
  if (cached === undefined) await cache?.put(digest, binary);
  return { module: await WebAssembly.compile(binary), digest, fma, isFresh: cached === undefined };
}

async function isFused({ module }: Compiled, kind: MemoryKind): Promise<boolean> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: kind === "shared" });
  return fmaIsFused(await instantiateKernels(module, memory));
}

/** Kernels that are ready to be linked, and what is to be said of them. */
interface ReadyKernels {
  readonly code: KernelCode;
  readonly memoryLimit: number;
  /** whether they were compiled in this process */
  readonly isFresh: boolean;
  readonly description: Readonly<Record<string, string>>;
}

/**
 * Compiles the WebAssembly kernels or takes them from the cache, and probes whether the CPU fuses multiply-adds. If it
 * does not, they are emulated, with the same bits, several times slower.
 */
async function portableKernels(options: ExactEngineOptions, reason: string): Promise<ReadyKernels> {
  const { memory = "shared" } = options;
  const files = await readKernelSources();
  let compiled = await compile(files, options.fma ?? "relaxed", options);
  if (!(await isFused(compiled, memory))) compiled = await compile(files, "emulated", options);
  if (!(await isFused(compiled, memory))) throw new Error("No correctly rounded fused multiply-add on this machine");
  const { module, digest, fma, isFresh } = compiled;
  return {
    code: { kind: "wasm", module, memory },
    memoryLimit: WEBASSEMBLY_LIMIT,
    isFresh,
    description: {
      kernels: digest,
      "fused multiply-add": fma === "relaxed" ? "by the CPU" : "emulated",
      "instruction set": "WebAssembly SIMD",
      "instruction set chosen": reason,
    },
  };
}

/** The native kernels, or why there are none. */
async function nativeKernels({ instructionSet }: ExactEngineOptions): Promise<ReadyKernels | string> {
  const { chooseNativeKernels } = await import("./native/choose.ts");
  const choice = await chooseNativeKernels({ set: instructionSet });
  if (choice.kind === "unavailable") return choice.reason;
  return {
    code: choice.code,
    memoryLimit: choice.memoryLimit,
    isFresh: false,
    description: {
      kernels: choice.digest,
      "fused multiply-add": "by the CPU",
      "instruction set": choice.title,
      "instruction set chosen": instructionSet === undefined ? "the widest that the processor has" : "asked for",
    },
  };
}

/**
 * Kernels by choice.
 *
 * @throws {UserError} `NO_NATIVE_KERNELS` if they alone were asked for
 */
async function chooseKernels(options: ExactEngineOptions): Promise<ReadyKernels> {
  if (options.memory === "unshared" && options.threads !== 1) {
    throw new RangeError(`${options.threads} threads cannot work in a memory that is not shared`);
  }
  const { kernels: choice = "wasm", fma } = options;
  if (choice === "wasm") return await portableKernels(options, options.kernels === "wasm" ? "asked for" : "by default");
  // Emulation is for processors without the instruction, and only WebAssembly's kernels have it.
  const native = fma === "emulated" ? "multiply-adds are to be emulated" : await nativeKernels(options);
  if (typeof native !== "string") return native;
  if (choice === "auto") return await portableKernels(options, `no native kernels: ${native}`);
  throw new UserError(
    "NO_NATIVE_KERNELS",
    `Native kernels cannot be used: ${native}`,
    'give "--kernels wasm" for the same bits more slowly, or see docs/native.md',
  );
}

/**
 * Makes the engine ready: checks and loads native kernels, or compiles WebAssembly's.
 *
 * @throws {UserError} `NO_NATIVE_KERNELS` if `kernels` is `native` and there are none
 * @throws {Error} if the kernels do not compile or a fused multiply-add cannot be had at all
 */
export async function createExactEngine(options: ExactEngineOptions): Promise<Engine> {
  const { code, memoryLimit, isFresh, description } = await chooseKernels(options);
  const { threads, keepProbabilities } = options;
  const memoryBytes = (session: SessionOptions) =>
    planLayout(session, threads, EVALUATION_WINDOWS, keepProbabilities, memoryLimit).bytes;

  return {
    name: "exact",
    level: "machine_to_machine",
    arithmetic: ARITHMETIC_VERSION,
    penalties: true,
    description: { threads: String(threads), ...description },
    memoryBytes,
    peakBytes: (session: SessionOptions) => predictPeakBytes(memoryBytes(session), threads, isFresh),
    open: (session: SessionOptions): Promise<Session> => ExactSession.open({ code, memoryLimit }, session, options),
  };
}
