/**
 * The C interface of NVIDIA's driver as Deno's FFI needs it: symbols, their parameters, and the enumeration values
 * used. Everything is from `cuda.h` of CUDA 13.0; the names ending in `_v2` are what that header's macros resolve to.
 *
 * Handles and device addresses are `u64` and passed as bigint, which is Deno's fast path; a number would take a slow
 * one. Structures and results by reference are `buffer`.
 */

/** Address in the device's memory, or an opaque handle: 8 bytes on every 64-bit platform. */
const HANDLE = "u64";
/** `size_t`, passed as bigint. */
const SIZE = "u64";
/** Memory of this process that the call reads or writes before it returns. */
const BUFFER = "buffer";

/** A function that returns a status. */
function status<const P extends readonly Deno.NativeType[]>(
  ...parameters: P
): { readonly parameters: P; readonly result: "i32" } {
  return { parameters, result: "i32" };
}

/** Functions of `libcuda.so.1`. The optional ones are missing in drivers older than CUDA 11.4. */
export const DRIVER_SYMBOLS = {
  cuInit: status("u32"),
  cuDriverGetVersion: status(BUFFER),
  cuGetErrorName: status("i32", BUFFER),
  cuGetErrorString: status("i32", BUFFER),

  cuDeviceGetCount: status(BUFFER),
  cuDeviceGet: status(BUFFER, "i32"),
  cuDeviceGetName: status(BUFFER, "i32", "i32"),
  cuDeviceGetUuid_v2: { ...status(BUFFER, "i32"), optional: true },
  cuDeviceTotalMem_v2: status(BUFFER, "i32"),
  cuDeviceGetAttribute: status(BUFFER, "i32", "i32"),

  cuDevicePrimaryCtxRetain: status(BUFFER, "i32"),
  cuDevicePrimaryCtxRelease_v2: status("i32"),
  cuCtxSetCurrent: status(HANDLE),

  // module*, image, number of options, options*, values**
  cuModuleLoadDataEx: status(BUFFER, BUFFER, "u32", BUFFER, BUFFER),
  cuModuleUnload: status(HANDLE),
  cuModuleGetFunction: status(BUFFER, HANDLE, BUFFER),
  cuFuncGetAttribute: status(BUFFER, "i32", HANDLE),
  cuFuncSetAttribute: status(HANDLE, "i32", "i32"),

  cuMemGetInfo_v2: status(BUFFER, BUFFER),
  cuMemAlloc_v2: status(BUFFER, SIZE),
  cuMemFree_v2: status(HANDLE),
  cuMemHostAlloc: status(BUFFER, SIZE, "u32"),
  cuMemFreeHost: status(HANDLE),
  // The host's side is a bare address: the memory stays in use after the call returns.
  cuMemcpyHtoDAsync_v2: status(HANDLE, HANDLE, SIZE, HANDLE),
  cuMemcpyDtoHAsync_v2: status(HANDLE, HANDLE, SIZE, HANDLE),
  cuMemcpyDtoDAsync_v2: status(HANDLE, HANDLE, SIZE, HANDLE),
  cuMemsetD32Async: status(HANDLE, "u32", SIZE, HANDLE),

  cuStreamCreate: status(BUFFER, "u32"),
  cuStreamDestroy_v2: status(HANDLE),
  cuStreamQuery: status(HANDLE),
  cuStreamSynchronize: status(HANDLE),
  cuStreamBeginCapture_v2: status(HANDLE, "i32"),
  cuStreamEndCapture: status(HANDLE, BUFFER),
  cuGraphInstantiateWithFlags: { ...status(BUFFER, HANDLE, "u64"), optional: true },
  cuGraphLaunch: status(HANDLE, HANDLE),
  cuGraphDestroy: status(HANDLE),
  cuGraphExecDestroy: status(HANDLE),

  cuEventCreate: status(BUFFER, "u32"),
  cuEventDestroy_v2: status(HANDLE),
  cuEventRecord: status(HANDLE, HANDLE),
  cuEventQuery: status(HANDLE),
  cuEventSynchronize: status(HANDLE),
  cuEventElapsedTime: status(BUFFER, HANDLE, HANDLE),

  // function, grid x y z, block x y z, shared bytes, stream, parameters**, extra**
  cuLaunchKernel: status(HANDLE, "u32", "u32", "u32", "u32", "u32", "u32", "u32", HANDLE, BUFFER, HANDLE),
} as const satisfies Deno.ForeignLibraryInterface;

/** Waits on another thread, so that the event loop keeps running. */
export const WAITING_SYMBOLS = {
  cuStreamSynchronize: { ...status(HANDLE), nonblocking: true },
} as const satisfies Deno.ForeignLibraryInterface;

/** `CUresult`: the statuses that the code itself decides by. */
export const STATUS = {
  success: 0,
  outOfMemory: 2,
  invalidContext: 201,
  notReady: 600,
} as const;

/** `CUdevice_attribute` */
export const DEVICE_ATTRIBUTE = {
  clockKHz: 13,
  multiprocessors: 16,
  eccEnabled: 32,
  memoryClockKHz: 36,
  busWidth: 37,
  l2CacheBytes: 38,
  computeCapabilityMajor: 75,
  computeCapabilityMinor: 76,
  sharedMemoryPerMultiprocessor: 81,
  sharedMemoryPerBlockOptIn: 97,
} as const;

/** `CUfunction_attribute` */
export const FUNCTION_ATTRIBUTE = {
  maxThreadsPerBlock: 0,
  sharedBytes: 1,
  localBytes: 3,
  registers: 4,
  maxDynamicSharedBytes: 8,
} as const;

/** `CUjit_option` */
export const JIT_OPTION = { errorLogBuffer: 5, errorLogBufferBytes: 6 } as const;

/** `CU_STREAM_NON_BLOCKING`: the stream does not wait for the null stream, nor it for the stream. */
export const STREAM_NON_BLOCKING = 1;

/** `CU_STREAM_CAPTURE_MODE_THREAD_LOCAL`: what other threads do meanwhile does not disturb a capture. */
export const CAPTURE_THREAD_LOCAL = 1;

/** `CU_EVENT_DEFAULT` records time; `CU_EVENT_DISABLE_TIMING` only order. */
export const EVENT = { timed: 0, untimed: 2 } as const;

/** Functions of NVRTC, from `nvrtc.h` of CUDA 13.0; all are in 11.8. A program is a handle. */
export const NVRTC_SYMBOLS = {
  nvrtcVersion: status(BUFFER, BUFFER),
  nvrtcGetErrorString: { parameters: ["i32"], result: "u64" },
  nvrtcGetNumSupportedArchs: status(BUFFER),
  nvrtcGetSupportedArchs: status(BUFFER),
  // program*, source, name, number of headers, headers**, their names**
  nvrtcCreateProgram: status(BUFFER, BUFFER, BUFFER, "i32", HANDLE, HANDLE),
  nvrtcDestroyProgram: status(BUFFER),
  // program, number of options, options**; seconds long, and so on another thread
  nvrtcCompileProgram: { ...status(HANDLE, "i32", BUFFER), nonblocking: true },
  nvrtcGetPTXSize: status(HANDLE, BUFFER),
  nvrtcGetPTX: status(HANDLE, BUFFER),
  nvrtcGetCUBINSize: status(HANDLE, BUFFER),
  nvrtcGetCUBIN: status(HANDLE, BUFFER),
  nvrtcGetProgramLogSize: status(HANDLE, BUFFER),
  nvrtcGetProgramLog: status(HANDLE, BUFFER),
} as const satisfies Deno.ForeignLibraryInterface;

/** Functions of cuBLASLt, from `cublasLt.h` of cuBLAS 13.1. */
export const CUBLASLT_SYMBOLS = {
  cublasLtCreate: status(BUFFER),
  cublasLtDestroy: status(HANDLE),
  cublasLtGetVersion: { parameters: [], result: SIZE },
  cublasLtGetStatusName: { parameters: ["i32"], result: HANDLE },
  // descriptor*, compute type, scale type
  cublasLtMatmulDescCreate: status(BUFFER, "i32", "i32"),
  cublasLtMatmulDescDestroy: status(HANDLE),
  cublasLtMatmulDescSetAttribute: status(HANDLE, "i32", BUFFER, SIZE),
  cublasLtMatmulDescGetAttribute: status(HANDLE, "i32", BUFFER, SIZE, BUFFER),
  // layout*, type, rows, columns, leading dimension
  cublasLtMatrixLayoutCreate: status(BUFFER, "i32", "u64", "u64", "i64"),
  cublasLtMatrixLayoutDestroy: status(HANDLE),
  cublasLtMatrixLayoutGetAttribute: status(HANDLE, "i32", BUFFER, SIZE, BUFFER),
  cublasLtMatmulPreferenceCreate: status(BUFFER),
  cublasLtMatmulPreferenceDestroy: status(HANDLE),
  cublasLtMatmulPreferenceSetAttribute: status(HANDLE, "i32", BUFFER, SIZE),
  cublasLtMatmulPreferenceGetAttribute: status(HANDLE, "i32", BUFFER, SIZE, BUFFER),
  // handle, descriptor, layouts of A B C D, preference, number wanted, results*, number found*
  cublasLtMatmulAlgoGetHeuristic: status(HANDLE, HANDLE, HANDLE, HANDLE, HANDLE, HANDLE, HANDLE, "i32", BUFFER, BUFFER),
  // handle, descriptor, layouts of A B C D, algorithm*, result*
  cublasLtMatmulAlgoCheck: status(HANDLE, HANDLE, HANDLE, HANDLE, HANDLE, HANDLE, BUFFER, BUFFER),
  cublasLtMatmulAlgoConfigGetAttribute: status(BUFFER, "i32", BUFFER, SIZE, BUFFER),
  // handle, descriptor, alpha*, A, its layout, B, its layout, beta*, C, its layout, D, its layout, algorithm*,
  // workspace, its bytes, stream
  cublasLtMatmul: status(
    HANDLE,
    HANDLE,
    BUFFER,
    HANDLE,
    HANDLE,
    HANDLE,
    HANDLE,
    BUFFER,
    HANDLE,
    HANDLE,
    HANDLE,
    HANDLE,
    BUFFER,
    HANDLE,
    SIZE,
    HANDLE,
  ),
} as const satisfies Deno.ForeignLibraryInterface;

/** `cudaDataType_t` of library_types.h, with the bytes of an element. */
export const DATA_TYPE = {
  f32: { code: 0, bytes: 4 },
  f16: { code: 2, bytes: 2 },
  bf16: { code: 14, bytes: 2 },
} as const;

/** `CUBLAS_COMPUTE_32F` of cublas_api.h: matmuls of 16-bit values are summed in f32. */
export const COMPUTE_F32 = 68;

/** `cublasLtMatmulDescAttributes_t`: the transposes are i32, the epilogue u32, the pointer 8 bytes */
export const MATMUL_ATTRIBUTE = { transposeA: 3, transposeB: 4, epilogue: 7, biasPointer: 8 } as const;

/** `cublasLtEpilogue_t`: `BIAS` adds a vector with an element a row of D as it is stored, by columns */
export const EPILOGUE = { none: 1, bias: 4 } as const;

/** `cublasLtMatrixLayoutAttribute_t`: type u32, order i32, rows and columns u64, leading dimension i64 */
export const LAYOUT_ATTRIBUTE = { type: 0, order: 1, rows: 2, columns: 3, leadingDimension: 4 } as const;

/** `cublasLtMatmulPreferenceAttributes_t`: the workspace is a u64, the others u32 */
export const PREFERENCE_ATTRIBUTE = {
  workspaceBytes: 1,
  reductionSchemes: 3,
  alignmentA: 5,
  alignmentB: 6,
  alignmentC: 7,
  alignmentD: 8,
} as const;

/**
 * `CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE`: parts of a sum that is split over blocks are kept in f32 in the workspace
 * and added in a step of their own, in a fixed order. As a mask it also allows not to split.
 */
export const REDUCTION_IN_F32 = 2;

/** `cublasLtMatmulAlgoConfigAttributes_t`, each 4 bytes */
export const ALGORITHM_ATTRIBUTE = {
  id: 0,
  tile: 1,
  splits: 2,
  reduction: 3,
  stages: 6,
} as const;

/** `cublasLtMatmulAlgo_t` is 8 words of 8 bytes. */
export const ALGORITHM_BYTES = 64;

/** `cublasLtMatmulHeuristicResult_t`: the algorithm, then these, then 16 reserved bytes */
export const HEURISTIC_RESULT = { bytes: 96, workspaceBytes: 64, status: 72 } as const;

/** Functions of `libnvidia-ml.so.1`, from NVIDIA's documentation of NVML; a version has at most 80 characters. */
export const NVML_SYMBOLS = {
  nvmlInit_v2: status(),
  nvmlSystemGetDriverVersion: status(BUFFER, "u32"),
  nvmlShutdown: status(),
} as const satisfies Deno.ForeignLibraryInterface;
