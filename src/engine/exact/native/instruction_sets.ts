/** The instruction sets that native kernels exist for, the fastest first. */

/** A set by the prefix that its kernels have in the library. */
export type InstructionSet = "avx512" | "avx2" | "neon";

/** How a set is asked for and spoken of. */
export interface InstructionSetFacts {
  readonly name: InstructionSet;
  /** of the answer that the library gives about the processor: source/processor.c */
  readonly bit: number;
  /** for the manifest and the doctor */
  readonly title: string;
}

/** In the order in which they are preferred. */
export const INSTRUCTION_SETS: readonly InstructionSetFacts[] = [
  { name: "avx512", bit: 2, title: "x86-64 AVX-512" },
  { name: "avx2", bit: 1, title: "x86-64 AVX2" },
  { name: "neon", bit: 4, title: "ARM64 NEON" },
];
