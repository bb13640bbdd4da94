/**
 * How the library's functions are called: source/kernels.c in the terms of Deno's foreign functions. The memory comes as
 * a `buffer`, which needs no more than `--allow-ffi=FOLDER`; addresses within it come as f64, which fast calls take
 * without conversion and which are exact up to 2^53.
 */
import type { InstructionSet } from "./instruction_sets.ts";

const MATMUL = [
  "buffer",
  ...["i32", "i32", "i32"],
  ...["f64", "i32", "f64", "i32", "f64", "i32"],
  ...["f64", "i32", "i32"],
] as [
  "buffer",
  ...["i32", "i32", "i32"],
  ...["f64", "i32", "f64", "i32", "f64", "i32"],
  ...["f64", "i32", "i32"],
];

/** What the library says about the processor. */
export const PROCESSOR_SYMBOLS = { instructionSets: { parameters: [], result: "u32" } } as const;

/** The kernels of one instruction set. */
export function kernelSymbols(set: InstructionSet) {
  const name = <const Name extends string>(kernel: Name) => `${set}_${kernel}`;
  return {
    matmulNN: { name: name("matmulNN"), parameters: MATMUL, result: "void" },
    matmulNT: { name: name("matmulNT"), parameters: MATMUL, result: "void" },
    matmulTN: { name: name("matmulTN"), parameters: MATMUL, result: "void" },
    normalize: {
      name: name("normalize"),
      parameters: ["buffer", "f64", "f64", "f64", "i32", "i32", "f32"],
      result: "void",
    },
    scaleAndShift: {
      name: name("scaleAndShift"),
      parameters: ["buffer", "f64", "f64", "f64", "f64", "i32", "i32"],
      result: "void",
    },
    scaleGradient: {
      name: name("scaleGradient"),
      parameters: ["buffer", "f64", "f64", "f64", "i32", "i32", "i32"],
      result: "void",
    },
    normalizeBackward: {
      name: name("normalizeBackward"),
      parameters: ["buffer", "f64", "f64", "f64", "f64", "i32", "i32"],
      result: "void",
    },
    gelu: { name: name("gelu"), parameters: ["buffer", "f64", "f64", "i32"], result: "void" },
    geluForward: { name: name("geluForward"), parameters: ["buffer", "f64", "i32"], result: "void" },
    rotate: {
      name: name("rotate"),
      parameters: ["buffer", "f64", "f64", "f64", "i32", "i32", "i32", "i32", "f32"],
      result: "void",
    },
    causalSoftmax: { name: name("causalSoftmax"), parameters: ["buffer", "f64", "i32", "i32", "f32"], result: "void" },
    causalSoftmaxBackward: {
      name: name("causalSoftmaxBackward"),
      parameters: ["buffer", "f64", "f64", "f64", "f64", "i32", "i32", "i32", "i32", "f32"],
      result: "void",
    },
    crossEntropy: {
      name: name("crossEntropy"),
      parameters: ["buffer", "f64", "f64", "f64", "i32", "i32", "f32"],
      result: "f32",
    },
    gatherRows: { name: name("gatherRows"), parameters: ["buffer", "f64", "f64", "f64", "i32", "i32"], result: "void" },
    scatterAddRows: {
      name: name("scatterAddRows"),
      parameters: ["buffer", "f64", "f64", "f64", "i32", "i32"],
      result: "void",
    },
    add: { name: name("add"), parameters: ["buffer", "f64", "f64", "i32"], result: "void" },
    multiply: { name: name("multiply"), parameters: ["buffer", "f64", "f64", "i32"], result: "void" },
    addBias: { name: name("addBias"), parameters: ["buffer", "f64", "f64", "i32", "i32"], result: "void" },
    addColumnSums: { name: name("addColumnSums"), parameters: ["buffer", "f64", "f64", "i32", "i32"], result: "void" },
    addColumnSumsOfProducts: {
      name: name("addColumnSumsOfProducts"),
      parameters: ["buffer", "f64", "f64", "f64", "i32", "i32"],
      result: "void",
    },
    fill: { name: name("fill"), parameters: ["buffer", "f64", "i32", "f32"], result: "void" },
    sumOfSquares: { name: name("sumOfSquares"), parameters: ["buffer", "f64", "i32"], result: "f32" },
    adamw: {
      name: name("adamw"),
      parameters: [
        ...["buffer", "f64", "f64", "f64", "f64", "i32"] as ["buffer", "f64", "f64", "f64", "f64", "i32"],
        ...["f32", "f32", "f32", "f32", "f32", "f32", "f32", "f32", "f32"] as [
          ...["f32", "f32", "f32", "f32", "f32", "f32", "f32", "f32", "f32"],
        ],
      ],
      result: "void",
    },
    fmaProbe: { name: name("fmaProbe"), parameters: ["f32", "f32", "f32"], result: "f32" },
  } as const;
}
