/**
 * Operations where backends differ: what one of them lacks, or is slow at, is written here with a gradient of its own.
 * Elsewhere TensorFlow.js differentiates them like everything else.
 */
import type { Tensor, TensorFlow } from "./api.ts";

/** Matmuls are of matrices, or of as many matrices in a batch: (n, k) or (G, n, k). */
export interface Operations {
  /** a · b */
  multiply(a: Tensor, b: Tensor): Tensor;
  /** a · bᵀ */
  multiplyTransposed(a: Tensor, b: Tensor): Tensor;
  /** rows of a table (V, h) by token, int32 (N): (N, h) */
  embed(table: Tensor, tokens: Tensor): Tensor;
  /** 1 at each token, f32 (N, V) */
  oneHot(tokens: Tensor, vocabularySize: number): Tensor;
}

/** The operations on a backend, by TensorFlow.js's name of it. */
export function operationsOn(backend: string, tf: TensorFlow): Operations {
  const oneHot = (tokens: Tensor, vocabularySize: number) => tf.cast(tf.oneHot(tokens, vocabularySize), "float32");
  const hasSegmentSum = tf.getKernel("UnsortedSegmentSum", backend) !== undefined;
  const matmuls = backend === "wasm" ? arrangedMatmuls(tf) : {
    multiply: (a: Tensor, b: Tensor) => tf.matMul(a, b),
    multiplyTransposed: (a: Tensor, b: Tensor) => tf.matMul(a, b, false, true),
  };
  return {
    ...matmuls,
    oneHot,
    embed: hasSegmentSum ? (table, tokens) => tf.gather(table, tokens) : (table, tokens) =>
      // Without sums of rows by token, the gradient of the table is a matmul with the one-hot matrix.
      tf.customGrad<[Tensor]>((table) => ({
        value: tf.gather(table, tokens),
        gradFunc: (dy) => tf.matMul(tf.transpose(oneHot(tokens, table.shape[0] ?? 0), [1, 0]), dy),
      }))(table),
  };
}

/**
 * Matmuls for the WASM backend. It hands to its fast kernel only those of two matrices, neither transposed; all
 * others, which are most of those that TensorFlow.js writes when it differentiates, run in a plain loop. Here matrices
 * are taken out of their batch, and transposed, first.
 */
function arrangedMatmuls(tf: TensorFlow): Pick<Operations, "multiply" | "multiplyTransposed"> {
  const transposed = (x: Tensor) => tf.transpose(x, x.shape.length === 2 ? [1, 0] : [0, 2, 1]);
  const matmul = (a: Tensor, b: Tensor): Tensor => {
    if (a.shape.length === 2) return tf.matMul(a, b);
    const matrix = (x: Tensor, i: number) => tf.reshape(tf.slice(x, [i, 0, 0], [1, -1, -1]), x.shape.slice(1));
    const matmuls = Array.from(
      { length: a.shape[0] ?? 0 },
      (_, i) => tf.tidy(() => tf.matMul(matrix(a, i), matrix(b, i))),
    );
    return tf.stack(matmuls);
  };
  const multiply = tf.customGrad<[Tensor, Tensor]>((a, b, save) => {
    save([a, b]);
    return {
      value: matmul(a, b),
      gradFunc: (dy, [a, b]) => [matmul(dy, transposed(b)), matmul(transposed(a), dy)],
    };
  });
  return {
    multiply: (a, b) => multiply(a, b),
    multiplyTransposed: (a, b) => multiply(a, transposed(b)),
  };
}
