/**
 * What a processor's fused multiply-adds reach at most: chains that depend on nothing but themselves, in registers. The
 * bound of every matmul on this core, measured, since clocks under wide vectors are nowhere stated.
 */
import type { InstructionSet } from "../src/engine/exact/native/instruction_sets.ts";
import { type CompiledLibrary, compileLibrary } from "./compile_library.ts";

/** Chains at a time: latency 4 times two units a clock are 8 on today's processors; more hide what the loop costs. */
const CHAINS = 12;

/** Each set's vector type, its operations in C, and what makes the compiler know them. */
const SETS: Readonly<
  Record<InstructionSet, { type: string; lanes: number; fma: string; fill: string; headers: string; target: string }>
> = {
  avx512: {
    type: "__m512",
    lanes: 16,
    fma: "_mm512_fmadd_ps(x[i], a, b)",
    fill: "_mm512_set1_ps",
    headers: "#include <immintrin.h>",
    target: '__attribute__((target("avx512f")))',
  },
  avx2: {
    type: "__m256",
    lanes: 8,
    fma: "_mm256_fmadd_ps(x[i], a, b)",
    fill: "_mm256_set1_ps",
    headers: "#include <immintrin.h>",
    target: '__attribute__((target("avx2,fma")))',
  },
  neon: {
    type: "float32x4_t",
    lanes: 4,
    fma: "vfmaq_f32(b, x[i], a)",
    fill: "vdupq_n_f32",
    headers: "#include <arm_neon.h>",
    target: "",
  },
};

/** Multiplies and adds for some loops; returns a sum, so that no compiler leaves the work out. */
function source(set: InstructionSet): string {
  const { type, fma, fill, headers, target } = SETS[set];
  return `${headers}
${target} float fma_chains(unsigned loops) {
  ${type} a = ${fill}(0.999f), b = ${fill}(0.001f), x[${CHAINS}];
  for (int i = 0; i < ${CHAINS}; i++) x[i] = ${fill}((float)i);
  for (unsigned n = 0; n < loops; n++) {
    #pragma GCC unroll ${CHAINS}
    for (int i = 0; i < ${CHAINS}; i++) x[i] = ${fma};
  }
  float sum = 0;
  for (int i = 0; i < ${CHAINS}; i++) sum += ((float *)&x[i])[0];
  return sum;
}
`;
}

/** The peak of one thread, or why it is not known. */
export type FmaPeak = { readonly gflops: number } | { readonly reason: string };

/** Measures one thread for about a second: the fastest of several rounds, since anything else only slows them. */
export async function measureFmaPeak(set: InstructionSet): Promise<FmaPeak> {
  const library: CompiledLibrary = await compileLibrary(`fma_peak_${set}`, source(set), ["-O2"]);
  if ("reason" in library) return library;
  const opened = Deno.dlopen(library.path, { fma_chains: { parameters: ["u32"], result: "f32" } });
  const { symbols } = opened;
  try {
    const loops = 10_000_000;
    const flops = 2 * SETS[set].lanes * CHAINS * loops;
    symbols.fma_chains(loops);
    const rounds = Array.from({ length: 10 }, () => {
      const start = performance.now();
      symbols.fma_chains(loops);
      return flops / (performance.now() - start) / 1e6;
    });
    return { gflops: Math.max(...rounds) };
  } finally {
    opened.close();
  }
}
