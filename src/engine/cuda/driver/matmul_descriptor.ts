/** Shapes of a matmul in cuBLASLt's terms. */
import { COMPUTE_F32, DATA_TYPE, EPILOGUE, MATMUL_ATTRIBUTE, PREFERENCE_ATTRIBUTE, REDUCTION_IN_F32 } from "./abi.ts";
import type { CublasLt } from "./cublaslt.ts";
import { Out } from "./host_memory.ts";

/** 16-bit format of the factors. */
export type HalfType = "f16" | "bf16";

/**
 * D (rows, columns) = alpha · op(A) (rows, inner) · op(B) (inner, columns) + beta · D, all row-major and dense. Matmuls
 * are summed in f32.
 */
export interface MatmulProblem {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  /** A is stored (inner, rows) */
  readonly transposeA?: boolean;
  /** B is stored (columns, inner) */
  readonly transposeB?: boolean;
  /** type of A and B */
  readonly input: HalfType;
  /** type of D: that of A and B, or f32 */
  readonly output: HalfType | "f32";
  /** adds a vector (columns) of D's type to each row; D must be 16 bits wide */
  readonly bias?: boolean;
}

/** Every address must be a multiple of this. It is also what the choice of an algorithm may count on. */
export const MATMUL_ALIGNMENT = 16;

/** Bytes of the parts of a matmul. */
export interface MatmulBytes {
  readonly a: number;
  readonly b: number;
  readonly d: number;
  readonly bias: number;
}

/** @throws {RangeError} if the shape is not one */
export function matmulBytes({ rows, columns, inner, input, output, bias = false }: MatmulProblem): MatmulBytes {
  for (const size of [rows, columns, inner]) {
    if (!Number.isSafeInteger(size) || size < 1) throw new RangeError(`A matmul of ${rows} × ${inner} × ${columns}`);
  }
  if (output !== "f32" && output !== input) throw new RangeError(`Factors are ${input}, the result ${output}`);
  if (bias && output === "f32") throw new RangeError("A bias needs a result of 16 bits");
  const { bytes: inputBytes } = DATA_TYPE[input];
  const { bytes: outputBytes } = DATA_TYPE[output];
  return {
    a: rows * inner * inputBytes,
    b: inner * columns * inputBytes,
    d: rows * columns * outputBytes,
    bias: bias ? columns * outputBytes : 0,
  };
}

/** Handles that describe a matmul; all must be destroyed. */
export interface MatmulDescriptors {
  readonly operation: bigint;
  /** cuBLASLt's A, which is our B */
  readonly first: bigint;
  /** cuBLASLt's B, which is our A */
  readonly second: bigint;
  /** its result, Dᵀ */
  readonly third: bigint;
}

/**
 * Describes a matmul. cuBLASLt stores matrices by columns, so that a row-major matrix is to it its own transpose; it
 * is given Dᵀ = op(B)ᵀ · op(A)ᵀ, with B as its first factor.
 */
export function createDescriptors(library: CublasLt, problem: MatmulProblem): MatmulDescriptors {
  const { functions } = library;
  const { rows, columns, inner, transposeA = false, transposeB = false, input, output, bias = false } = problem;
  const out = new Out();
  const layout = (type: keyof typeof DATA_TYPE, matrixRows: number, matrixColumns: number): bigint => {
    const status = functions.cublasLtMatrixLayoutCreate(
      out.buffer,
      DATA_TYPE[type].code,
      BigInt(matrixColumns),
      BigInt(matrixRows),
      BigInt(matrixColumns),
    );
    library.check(status, "cublasLtMatrixLayoutCreate");
    return out.u64;
  };
  library.check(
    functions.cublasLtMatmulDescCreate(out.buffer, COMPUTE_F32, DATA_TYPE.f32.code),
    "cublasLtMatmulDescCreate",
  );
  const operation = out.u64;
  const set = (attribute: keyof typeof MATMUL_ATTRIBUTE, value: number): void => {
    const word = new Int32Array(new ArrayBuffer(4)).fill(value);
    const status = functions.cublasLtMatmulDescSetAttribute(operation, MATMUL_ATTRIBUTE[attribute], word, 4n);
    library.check(status, `cublasLtMatmulDescSetAttribute ${attribute}`);
  };
  set("transposeA", transposeB ? 1 : 0);
  set("transposeB", transposeA ? 1 : 0);
  set("epilogue", bias ? EPILOGUE.bias : EPILOGUE.none);
  // The choice of an algorithm sees a bias as it will be, there and aligned; nothing is read through this address.
  if (bias) setBiasAddress(library, operation, BigInt(MATMUL_ALIGNMENT));
  return {
    operation,
    first: transposeB ? layout(input, columns, inner) : layout(input, inner, columns),
    second: transposeA ? layout(input, inner, rows) : layout(input, rows, inner),
    third: layout(output, rows, columns),
  };
}

/** Where the bias of the next matmul lies. */
export function setBiasAddress(library: CublasLt, operation: bigint, address: bigint): void {
  const value = BigUint64Array.of(address);
  const status = library.functions.cublasLtMatmulDescSetAttribute(operation, MATMUL_ATTRIBUTE.biasPointer, value, 8n);
  library.check(status, "cublasLtMatmulDescSetAttribute biasPointer");
}

/** Destroys what {@linkcode createDescriptors} made. */
export function destroyDescriptors(
  { functions }: CublasLt,
  { operation, first, second, third }: MatmulDescriptors,
): void {
  functions.cublasLtMatmulDescDestroy(operation);
  for (const layout of [first, second, third]) functions.cublasLtMatrixLayoutDestroy(layout);
}

/** What an algorithm may be chosen by; must be destroyed. */
export function createPreference(library: CublasLt, workspaceBytes: number): bigint {
  const { functions } = library;
  const out = new Out();
  library.check(functions.cublasLtMatmulPreferenceCreate(out.buffer), "cublasLtMatmulPreferenceCreate");
  const preference = out.u64;
  const set = (attribute: keyof typeof PREFERENCE_ATTRIBUTE, value: Uint8Array<ArrayBuffer>): void => {
    const status = functions.cublasLtMatmulPreferenceSetAttribute(
      preference,
      PREFERENCE_ATTRIBUTE[attribute],
      value,
      BigInt(value.length),
    );
    library.check(status, `cublasLtMatmulPreferenceSetAttribute ${attribute}`);
  };
  const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
  set("workspaceBytes", new Uint8Array(BigUint64Array.of(BigInt(workspaceBytes)).buffer));
  set("reductionSchemes", u32(REDUCTION_IN_F32));
  for (const matrix of ["alignmentA", "alignmentB", "alignmentC", "alignmentD"] as const) {
    set(matrix, u32(MATMUL_ALIGNMENT));
  }
  return preference;
}
