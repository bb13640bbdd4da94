/**
 * The part of TensorFlow.js that the peer uses, as types of our own: the packages are loaded only when the benchmark
 * runs, so that no other task has to download them.
 */

/** Packages by exact version, pinned with their digests in benchmarks/deno.lock. */
const PACKAGES = {
  tensorflow: "npm:@tensorflow/tfjs@4.22.0",
  backend: "npm:@tensorflow/tfjs-backend-wasm@4.22.0",
} as const;

/** A tensor; arithmetic goes through {@linkcode TensorFlow}. */
export interface Tensor {
  readonly shape: number[];
  dataSync(): Float32Array;
  dispose(): void;
}

/** A tensor that can be given a new value. */
export interface Variable extends Tensor {
  readonly name: string;
  assign(value: Tensor): void;
}

/** An operation with the gradient that its author gives it; what the gradient needs of the forward pass is saved. */
export type CustomGradient<T extends Tensor[]> = (...inputs: [...T, save: (tensors: T) => void]) => {
  value: Tensor;
  gradFunc: (dy: Tensor, saved: T) => Tensor | Tensor[];
};

/** Functions of `@tensorflow/tfjs`, by its own names. */
export interface TensorFlow {
  readonly version_core: string;
  tensor(values: Float32Array | Int32Array, shape: number[], dtype: "float32" | "int32"): Tensor;
  variable(initial: Tensor, trainable: boolean, name: string): Variable;
  scalar(value: number): Tensor;
  zeros(shape: number[]): Tensor;
  tidy<T>(run: () => T): T;
  variableGrads(f: () => Tensor, variables: Variable[]): { value: Tensor; grads: Record<string, Tensor> };
  customGrad<T extends Tensor[]>(f: CustomGradient<T>): (...inputs: T) => Tensor;
  add(a: Tensor, b: Tensor): Tensor;
  addN(tensors: Tensor[]): Tensor;
  sub(a: Tensor, b: Tensor): Tensor;
  mul(a: Tensor, b: Tensor | number): Tensor;
  div(a: Tensor, b: Tensor | number): Tensor;
  sum(x: Tensor): Tensor;
  mean(x: Tensor, axis: number, keepDims: boolean): Tensor;
  square(x: Tensor): Tensor;
  sqrt(x: Tensor): Tensor;
  rsqrt(x: Tensor): Tensor;
  erf(x: Tensor): Tensor;
  softmax(x: Tensor): Tensor;
  matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor;
  transpose(x: Tensor, permutation: number[]): Tensor;
  reshape(x: Tensor, shape: number[]): Tensor;
  slice(x: Tensor, begin: number[], size: number[]): Tensor;
  concat(tensors: Tensor[], axis: number): Tensor;
  gather(x: Tensor, indices: Tensor): Tensor;
  oneHot(indices: Tensor, depth: number): Tensor;
  cast(x: Tensor, dtype: "float32"): Tensor;
  readonly losses: { softmaxCrossEntropy(oneHot: Tensor, logits: Tensor): Tensor };
  setBackend(name: "wasm"): Promise<boolean>;
}

/**
 * Loads TensorFlow.js with its WASM backend, SIMD and one thread: its threads need a browser's workers.
 *
 * @throws {Error} if the packages cannot be downloaded or the backend does not start
 */
export async function loadTensorFlow(): Promise<TensorFlow> {
  // Not literals: what imports this module must not depend on the packages.
  const tf: TensorFlow = await import(PACKAGES.tensorflow);
  await import(PACKAGES.backend);
  if (!(await tf.setBackend("wasm"))) throw new Error("the WASM backend of TensorFlow.js does not start");
  return tf;
}
