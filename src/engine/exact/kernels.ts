/**
 * The exact engine's WebAssembly kernels: their sources, their compilation by AssemblyScript, their digest, and the
 * typed exports. Web-standard APIs only; where sources come from and where compiled code is kept is the caller's.
 */
import { microKernelSource } from "./micro_kernel_source.ts";

/** Files of `kernels/`, in the order in which their digest takes them. */
export const KERNEL_FILES = [
  "adamw.ts",
  "attention.ts",
  "cross_entropy.ts",
  "elementary.ts",
  "elementwise.ts",
  "exponentials.ts",
  "fma_emulated.ts",
  "fma_relaxed.ts",
  "gelu.ts",
  "index.ts",
  "lanes.ts",
  "layer_norm.ts",
  "matmul.ts",
  "probe.ts",
] as const;

/** The compiler and how it is called: part of the digest of what it makes. `deno.json` pins the same version. */
export const COMPILER = "assemblyscript@0.28.20";

/** Whether threads share the kernels' memory. A page that is not isolated from other origins may not share any. */
export type MemoryKind = "shared" | "unshared";

function compilerOptions(memory: MemoryKind): string[] {
  return [
    "-O3",
    ...["--runtime", "stub"],
    "--noAssert",
    "--importMemory",
    ...(memory === "shared" ? ["--sharedMemory"] : []),
    ...["--initialMemory", "1"],
    ...["--maximumMemory", "65536"],
    ...["--enable", "simd"],
    ...["--enable", "relaxed-simd"],
    ...(memory === "shared" ? ["--enable", "threads"] : []),
  ];
}

/** How c + a·b is rounded once: by the CPU's instruction, or by doubles rounded to odd. */
export type FmaKind = "relaxed" | "emulated";

/** A byte address in the shared memory. */
export type Address = number;

/** Which part of a matmul a causal mask leaves; the numbers that `kernels/matmul.ts` knows. */
export const SHAPE = { full: 0, lower: 1, endsAtRow: 2, startsAtRow: 3 } as const;

type Matmul = (
  m: number,
  n: number,
  k: number,
  a: Address,
  lda: number,
  b: Address,
  ldb: number,
  c: Address,
  ldc: number,
  panel: Address,
  shape: number,
  fresh: boolean,
) => void;

/** Exports of the compiled module; shapes and orders of accumulation stand at each kernel's source. */
export interface Kernels {
  matmulNN: Matmul;
  matmulNT: Matmul;
  matmulTN: Matmul;
  normalize(x: Address, normalized: Address, rstds: Address, rows: number, width: number, epsilon: number): void;
  scaleAndShift(normalized: Address, gamma: Address, beta: Address, y: Address, rows: number, width: number): void;
  scaleGradient(dy: Address, gamma: Address, d: Address, rows: number, width: number, join: boolean): void;
  normalizeBackward(
    d: Address,
    normalized: Address,
    rstds: Address,
    dx: Address,
    rows: number,
    width: number,
  ): void;
  gelu(x: Address, derivative: Address, n: number): void;
  geluForward(x: Address, n: number): void;
  rotate(
    qkv: Address,
    cosines: Address,
    sines: Address,
    rows: number,
    heads: number,
    headSize: number,
    half: number,
    sign: number,
  ): void;
  causalSoftmax(scores: Address, rows: number, columns: number, scale: number): void;
  causalSoftmaxBackward(
    probabilities: Address,
    gradients: Address,
    output: Address,
    outputGradient: Address,
    rowBytes: number,
    rows: number,
    columns: number,
    headSize: number,
    scale: number,
  ): void;
  crossEntropy(
    logits: Address,
    targets: Address,
    losses: Address,
    rows: number,
    width: number,
    weight: number,
  ): number;
  gatherRows(table: Address, tokens: Address, x: Address, rows: number, width: number): void;
  scatterAddRows(dTable: Address, tokens: Address, dx: Address, rows: number, width: number): void;
  add(y: Address, x: Address, n: number): void;
  multiply(y: Address, x: Address, n: number): void;
  addBias(y: Address, bias: Address, rows: number, width: number): void;
  addColumnSums(dy: Address, sums: Address, rows: number, width: number): void;
  addColumnSumsOfProducts(
    dy: Address,
    normalized: Address,
    sums: Address,
    rows: number,
    width: number,
  ): void;
  fill(y: Address, n: number, value: number): void;
  sumOfSquares(g: Address, n: number): number;
  adamw(
    weights: Address,
    firstMoments: Address,
    secondMoments: Address,
    gradients: Address,
    n: number,
    clip: number,
    beta1: number,
    oneMinusBeta1: number,
    beta2: number,
    oneMinusBeta2: number,
    stepSize: number,
    rootCorrection2: number,
    epsilon: number,
    decay: number,
  ): void;
  fmaProbe(a: number, b: number, c: number): number;
}

/** Sources of all modules by the path that AssemblyScript asks for, the fused multiply-add chosen. */
export function kernelModules(files: ReadonlyMap<string, string>, fma: FmaKind): Map<string, string> {
  const modules = new Map<string, string>();
  for (const name of KERNEL_FILES) {
    const source = files.get(name);
    if (source === undefined) throw new Error(`Kernel source "${name}" is missing`);
    if (!name.startsWith("fma_")) modules.set(name, source);
  }
  modules.set("fma.ts", files.get(`fma_${fma}.ts`) ?? "");
  modules.set("tile.ts", microKernelSource());
  return modules;
}

/** What a compiled binary is known by: everything that determines it. */
export function kernelIdentity(modules: ReadonlyMap<string, string>, memory: MemoryKind = "shared"): string {
  return JSON.stringify([COMPILER, compilerOptions(memory), [...modules]]);
}

/**
 * Compiles the kernels to WebAssembly.
 *
 * @throws {Error} with the compiler's own messages if a source does not compile
 */
export async function compileKernels(
  modules: ReadonlyMap<string, string>,
  memory: MemoryKind = "shared",
): Promise<Uint8Array<ArrayBuffer>> {
  const asc = (await import("assemblyscript/asc")).default;
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const { error, stderr } = await asc.main(["index.ts", "--outFile", "kernels.wasm", ...compilerOptions(memory)], {
    readFile: (name: string) => modules.get(name) ?? null,
    writeFile: (name: string, contents: Uint8Array | string) => {
      if (name === "kernels.wasm" && typeof contents !== "string") binary = new Uint8Array(contents);
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined) {
    throw new Error(`The kernels do not compile: ${error?.message ?? "no output"}\n${stderr.toString()}`);
  }
  return binary;
}

/** Links a compiled module to a memory. */
export async function instantiateKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<Kernels> {
  const abort = () => {
    throw new Error("A kernel aborted");
  };
  const instance = await WebAssembly.instantiate(module, { env: { memory, abort } });
  return instance.exports as unknown as Kernels;
}

/** Whether the linked kernels round a fused multiply-add once. */
export function fmaIsFused(kernels: Pick<Kernels, "fmaProbe">): boolean {
  const a = 1 + 2 ** -12;
  return kernels.fmaProbe(a, a, -Math.fround(a * a)) === 2 ** -24;
}
