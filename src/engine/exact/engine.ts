/** The exact engine: ordered f32 arithmetic in WebAssembly on all cores, the same bits on every machine. */
import { withLineFeeds } from "../../digest/line_ends.ts";
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
} from "./kernels.ts";
import { planLayout } from "./layout.ts";
import { predictPeakBytes } from "./peak_memory.ts";
import { EVALUATION_WINDOWS, ExactSession, type ThreadOptions } from "./session.ts";

/** What a caller may choose; none of it changes a bit. */
export interface ExactEngineOptions extends ThreadOptions {
  /** without one, kernels are compiled at every start */
  readonly cache?: KernelCache;
  /** `"emulated"` computes fused multiply-adds without the CPU's instruction; default: emulated only if it must be */
  readonly fma?: FmaKind;
  /** SHA-256 of a string, in hexadecimal */
  readonly sha256: (text: string) => string;
}

/** Sources of the kernels, from beside this module, with LF whatever the checkout has. */
export async function readKernelSources(): Promise<Map<string, string>> {
  const entries = await Promise.all(KERNEL_FILES.map(async (name): Promise<[string, string]> => {
    const response = await fetch(new URL(`./kernels/${name}`, import.meta.url));
    return [name, withLineFeeds(await response.text())];
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
  { cache, sha256 }: ExactEngineOptions,
): Promise<Compiled> {
  const modules = kernelModules(files, fma);
  const digest = sha256(kernelIdentity(modules));
  const cached = await cache?.get(digest);
  const binary = cached ?? await compileKernels(modules);
  if (cached === undefined) await cache?.put(digest, binary);
  return { module: await WebAssembly.compile(binary), digest, fma, isFresh: cached === undefined };
}

async function isFused({ module }: Compiled): Promise<boolean> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
  return fmaIsFused(await instantiateKernels(module, memory));
}

/**
 * Makes the engine ready: compiles its kernels or takes them from the cache, and probes whether the CPU fuses
 * multiply-adds. If it does not, they are emulated, with the same bits, several times slower.
 *
 * @throws {Error} if the kernels do not compile or a fused multiply-add cannot be had at all
 */
export async function createExactEngine(options: ExactEngineOptions): Promise<Engine> {
  const files = await readKernelSources();
  let compiled = await compile(files, options.fma ?? "relaxed", options);
  if (!(await isFused(compiled))) compiled = await compile(files, "emulated", options);
  if (!(await isFused(compiled))) throw new Error("No correctly rounded fused multiply-add on this machine");
  const { module, digest, fma, isFresh } = compiled;
  const memoryBytes = (session: SessionOptions) =>
    planLayout(session, options.threads, EVALUATION_WINDOWS, options.keepProbabilities).bytes;

  return {
    name: "exact",
    level: "machine_to_machine",
    arithmetic: ARITHMETIC_VERSION,
    description: {
      threads: String(options.threads),
      kernels: digest,
      "fused multiply-add": fma === "relaxed" ? "by the CPU" : "emulated",
    },
    memoryBytes,
    peakBytes: (session: SessionOptions) => predictPeakBytes(memoryBytes(session), options.threads, isFresh),
    open: (session: SessionOptions): Promise<Session> => ExactSession.open(module, session, options),
  };
}
