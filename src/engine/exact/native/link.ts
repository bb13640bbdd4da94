/** A library's kernels over a session's memory: the same functions that the WebAssembly module exports. */
import type { Kernels } from "../kernels.ts";
import type { InstructionSet } from "./instruction_sets.ts";
import { kernelSymbols } from "./signatures.ts";

/**
 * Links the kernels of one instruction set, which the processor must have.
 *
 * Each has a closure of its own: V8 compiles a call site that always meets the same function to a direct call of a few
 * nanoseconds, and one that meets several to a slow one.
 *
 * @param path of the library
 * @param buffer all addresses are byte offsets in it; it must outlive the kernels
 * @throws if the library cannot be loaded or lacks a function
 */
export function linkNativeKernels(path: string, set: InstructionSet, buffer: ArrayBufferLike): Kernels {
  const f = Deno.dlopen(path, kernelSymbols(set)).symbols;
  // Deno hands on a view of shared memory as well, which its types do not say.
  const memory = new Uint8Array(buffer) as Uint8Array<ArrayBuffer>;
  return {
    matmulNN: (m, n, k, a, lda, b, ldb, c, ldc, panel, shape, fresh) =>
      f.matmulNN(memory, m, n, k, a, lda, b, ldb, c, ldc, panel, shape, fresh ? 1 : 0),
    matmulNT: (m, n, k, a, lda, b, ldb, c, ldc, panel, shape, fresh) =>
      f.matmulNT(memory, m, n, k, a, lda, b, ldb, c, ldc, panel, shape, fresh ? 1 : 0),
    matmulTN: (m, n, k, a, lda, b, ldb, c, ldc, panel, shape, fresh) =>
      f.matmulTN(memory, m, n, k, a, lda, b, ldb, c, ldc, panel, shape, fresh ? 1 : 0),
    normalize: (x, normalized, rstds, rows, width, epsilon) =>
      f.normalize(memory, x, normalized, rstds, rows, width, epsilon),
    scaleAndShift: (normalized, gamma, beta, y, rows, width) =>
      f.scaleAndShift(memory, normalized, gamma, beta, y, rows, width),
    scaleGradient: (dy, gamma, d, rows, width, join) =>
      f.scaleGradient(memory, dy, gamma, d, rows, width, join ? 1 : 0),
    normalizeBackward: (d, normalized, rstds, dx, rows, width) =>
      f.normalizeBackward(memory, d, normalized, rstds, dx, rows, width),
    gelu: (x, derivative, n) => f.gelu(memory, x, derivative, n),
    geluForward: (x, n) => f.geluForward(memory, x, n),
    rotate: (qkv, cosines, sines, rows, heads, headSize, half, sign) =>
      f.rotate(memory, qkv, cosines, sines, rows, heads, headSize, half, sign),
    causalSoftmax: (scores, rows, columns, scale) => f.causalSoftmax(memory, scores, rows, columns, scale),
    causalSoftmaxBackward: (p, gradients, output, outputGradient, rowBytes, rows, columns, headSize, scale) =>
      f.causalSoftmaxBackward(memory, p, gradients, output, outputGradient, rowBytes, rows, columns, headSize, scale),
    crossEntropy: (logits, targets, losses, rows, width, weight) =>
      f.crossEntropy(memory, logits, targets, losses, rows, width, weight),
    gatherRows: (table, tokens, x, rows, width) => f.gatherRows(memory, table, tokens, x, rows, width),
    scatterAddRows: (dTable, tokens, dx, rows, width) => f.scatterAddRows(memory, dTable, tokens, dx, rows, width),
    add: (y, x, n) => f.add(memory, y, x, n),
    multiply: (y, x, n) => f.multiply(memory, y, x, n),
    addBias: (y, bias, rows, width) => f.addBias(memory, y, bias, rows, width),
    addColumnSums: (dy, sums, rows, width) => f.addColumnSums(memory, dy, sums, rows, width),
    addColumnSumsOfProducts: (dy, normalized, sums, rows, width) =>
      f.addColumnSumsOfProducts(memory, dy, normalized, sums, rows, width),
    fill: (y, n, value) => f.fill(memory, y, n, value),
    sumOfSquares: (g, n) => f.sumOfSquares(memory, g, n),
    adamw: (weights, firstMoments, secondMoments, gradients, n, ...scalars) =>
      f.adamw(memory, weights, firstMoments, secondMoments, gradients, n, ...scalars),
    fmaProbe: (a, b, c) => f.fmaProbe(a, b, c),
  };
}
