/**
 * The part of TensorFlow.js that the engine uses, as types of our own: its packages are installed apart from the
 * project's, so that nobody downloads them without using this engine, and their types are not at hand.
 */

/** A tensor; arithmetic goes through {@linkcode TensorFlow}. */
export interface Tensor {
  readonly shape: number[];
  data(): Promise<Float32Array | Int32Array | Uint8Array>;
  dispose(): void;
}

/** A tensor that can be given a new value. */
export interface Variable extends Tensor {
  /** unique in the process */
  readonly name: string;
  assign(value: Tensor): void;
}

/** An operation with the gradient that its author gives it; what the gradient needs of the forward pass is saved. */
export type CustomGradient<T extends Tensor[]> = (...inputs: [...T, save: (tensors: T) => void]) => {
  value: Tensor;
  gradFunc: (dy: Tensor, saved: T) => Tensor | Tensor[];
};

/** What may be returned from `tidy`, and so outlives it. */
type Kept = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>> | void;

/** Functions of `@tensorflow/tfjs`, by its own names. */
export interface TensorFlow {
  readonly version_core: string;
  tensor(values: Float32Array | Int32Array, shape: readonly number[], dtype: "float32" | "int32"): Tensor;
  variable(initial: Tensor, trainable: boolean): Variable;
  scalar(value: number): Tensor;
  zeros(shape: readonly number[]): Tensor;
  tidy<T extends Kept>(run: () => T): T;
  keep(x: Tensor): Tensor;
  variableGrads(f: () => Tensor, variables: readonly Variable[]): { value: Tensor; grads: Record<string, Tensor> };
  customGrad<T extends Tensor[]>(f: CustomGradient<T>): (...inputs: T) => Tensor;
  add(a: Tensor, b: Tensor): Tensor;
  addN(tensors: readonly Tensor[]): Tensor;
  sub(a: Tensor, b: Tensor): Tensor;
  mul(a: Tensor, b: Tensor | number): Tensor;
  div(a: Tensor, b: Tensor | number): Tensor;
  sum(x: Tensor, axis?: number): Tensor;
  mean(x: Tensor, axis: number, keepDims: boolean): Tensor;
  square(x: Tensor): Tensor;
  sqrt(x: Tensor): Tensor;
  rsqrt(x: Tensor): Tensor;
  erf(x: Tensor): Tensor;
  softmax(x: Tensor): Tensor;
  matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor;
  transpose(x: Tensor, permutation: readonly number[]): Tensor;
  reshape(x: Tensor, shape: readonly number[]): Tensor;
  slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor;
  concat(tensors: readonly Tensor[], axis: number): Tensor;
  stack(tensors: readonly Tensor[]): Tensor;
  gather(x: Tensor, indices: Tensor): Tensor;
  oneHot(indices: Tensor, depth: number): Tensor;
  cast(x: Tensor, dtype: "float32"): Tensor;
  readonly losses: {
    /** `reduction` 0: one loss a row */
    softmaxCrossEntropy(oneHot: Tensor, logits: Tensor, weights: undefined, smoothing: 0, reduction: 0): Tensor;
  };
  /** undefined if the backend does not have the operation */
  getKernel(operation: string, backend: string): unknown;
  getKernelsForBackend(backend: string): readonly { readonly kernelName: string }[];
  unregisterKernel(operation: string, backend: string): void;
  getBackend(): string;
  setBackend(name: string): Promise<boolean>;
  registerBackend(name: string, make: () => unknown): boolean;
  removeBackend(name: string): void;
  findBackendFactory(name: string): unknown;
  backend(): unknown;
  memory(): { readonly numTensors: number; readonly numBytes: number };
}

/** Functions by which a package shows that it is TensorFlow.js. */
const FUNCTIONS = [
  "tensor",
  "variable",
  "tidy",
  "variableGrads",
  "customGrad",
  "matMul",
  "getKernel",
  "setBackend",
  "registerBackend",
  "memory",
] as const satisfies readonly (keyof TensorFlow)[];

/** Whether a package's exports are TensorFlow.js's. */
export function isTensorFlow(value: unknown): value is TensorFlow {
  if (typeof value !== "object" || value === null) return false;
  const members: Readonly<Record<string, unknown>> = { ...value };
  return typeof members["version_core"] === "string" &&
    FUNCTIONS.every((name) => typeof members[name] === "function");
}
