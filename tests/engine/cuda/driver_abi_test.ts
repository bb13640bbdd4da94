/** The symbol tables and values of abi.ts against NVIDIA's headers and libraries, where they are at hand. Needs g++. */
import assert from "node:assert/strict";
import {
  ALGORITHM_ATTRIBUTE,
  ALGORITHM_BYTES,
  CAPTURE_THREAD_LOCAL,
  COMPUTE_F32,
  CUBLASLT_SYMBOLS,
  DATA_TYPE,
  DEVICE_ATTRIBUTE,
  DRIVER_SYMBOLS,
  EPILOGUE,
  EVENT,
  FUNCTION_ATTRIBUTE,
  HEURISTIC_RESULT,
  JIT_OPTION,
  LAYOUT_ATTRIBUTE,
  MATMUL_ATTRIBUTE,
  NVRTC_SYMBOLS,
  PREFERENCE_ATTRIBUTE,
  REDUCTION_IN_F32,
  STATUS,
  STREAM_NON_BLOCKING,
} from "../../../src/engine/cuda/driver/abi.ts";
import { CublasLt } from "../../../src/engine/cuda/driver/cublaslt.ts";
import { CudaError } from "../../../src/engine/cuda/driver/errors.ts";
import { Out } from "../../../src/engine/cuda/driver/host_memory.ts";
import {
  createDescriptors,
  createPreference,
  destroyDescriptors,
} from "../../../src/engine/cuda/driver/matmul_descriptor.ts";
import { withFolder } from "../../temporary_folder.ts";
import { canRun } from "./fakes/build.ts";
import { HAS_CUBLASLT, INCLUDE_FOLDERS, REAL_PLACES } from "./real_libraries.ts";

/** `has()`: whether a C function has a result and parameters of these sizes. */
const PRELUDE = `
#include <cstddef>
#include <cstdint>
template <class R, class... A> constexpr bool has(R (*)(A...), int result, std::initializer_list<int> parameters) {
  const int own[] = {(int)sizeof(A)..., 0};
  if (sizeof...(A) != parameters.size() || (int)sizeof(R) != result) return false;
  const int* other = parameters.begin();
  for (std::size_t i = 0; i < sizeof...(A); i++) if (own[i] != other[i]) return false;
  return true;
}
`;

const SIZES: Partial<Record<Extract<Deno.NativeType, string>, number>> = { i32: 4, u32: 4, i64: 8, u64: 8, buffer: 8 };

function sizeOf(type: Deno.NativeResultType): number {
  const size = typeof type === "string" && type !== "void" ? SIZES[type] : undefined;
  if (size === undefined) throw new Error(`A type that no table has: ${JSON.stringify(type)}`);
  return size;
}

/** Asserts that each function has as many parameters, of the same sizes. */
function functionChecks(symbols: Deno.ForeignLibraryInterface): string[] {
  return Object.entries(symbols).map(([name, symbol]) => {
    if (!("parameters" in symbol)) throw new Error(`${name} is no function`);
    const parameters = symbol.parameters.map(sizeOf).join(", ");
    return `static_assert(has(&${name}, ${sizeOf(symbol.result)}, {${parameters}}), "${name}");`;
  });
}

/** Asserts that C's constants have these values. */
function valueChecks(values: Readonly<Record<string, number>>): string[] {
  return Object.entries(values).map(([name, value]) => `static_assert((long)${name} == ${value}, "${name}");`);
}

/** The statuses that are explained, by their names. */
function knownStatuses(): Record<string, number> {
  const all = Array.from({ length: 1000 }, (_, status) => [new CudaError(status, "").statusName, status] as const);
  const known = all.filter(([name]) => name.startsWith("CUDA_ERROR_"));
  assert(known.length > 30);
  return Object.fromEntries(known);
}

/** Compiles checks against a header; `undefined` where there is none. */
async function compileChecks(
  header: string,
  checks: readonly string[],
): Promise<{ success: boolean; messages: string }> {
  let result = { success: false, messages: "" };
  await withFolder(async (folder) => {
    const source = `${folder}/checks.cpp`;
    await Deno.writeTextFile(
      source,
      [`#include "${header}"`, "#include <initializer_list>", PRELUDE, ...checks].join("\n"),
    );
    const include = INCLUDE_FOLDERS.flatMap((path) => ["-I", path]);
    const { success, stderr } = await new Deno.Command("g++", {
      args: ["-std=c++17", "-fsyntax-only", ...include, source],
    }).output();
    result = { success, messages: new TextDecoder().decode(stderr) };
  });
  return result;
}

async function hasHeader(header: string): Promise<boolean> {
  const found = canRun("g++", "--version") && (await compileChecks(header, [])).success;
  if (!found) console.warn(`tests with ${header} are skipped: no g++, or no header in ${INCLUDE_FOLDERS.join(", ")}`);
  return found;
}

function testHeader(name: string, header: string, isThere: boolean, checks: readonly string[], wrong: string): void {
  Deno.test({
    name,
    ignore: !isThere,
    fn: async () => {
      const { success, messages } = await compileChecks(header, checks);
      assert(success, messages);
      // The check itself can fail.
      assert.equal((await compileChecks(header, [wrong])).success, false);
    },
  });
}

testHeader(
  "the driver's functions and values are those of cuda.h",
  "cuda.h",
  await hasHeader("cuda.h"),
  [
    ...functionChecks(DRIVER_SYMBOLS),
    ...valueChecks({
      CUDA_SUCCESS: STATUS.success,
      CUDA_ERROR_OUT_OF_MEMORY: STATUS.outOfMemory,
      CUDA_ERROR_INVALID_CONTEXT: STATUS.invalidContext,
      CUDA_ERROR_NOT_READY: STATUS.notReady,
      CU_DEVICE_ATTRIBUTE_CLOCK_RATE: DEVICE_ATTRIBUTE.clockKHz,
      CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: DEVICE_ATTRIBUTE.multiprocessors,
      CU_DEVICE_ATTRIBUTE_ECC_ENABLED: DEVICE_ATTRIBUTE.eccEnabled,
      CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE: DEVICE_ATTRIBUTE.memoryClockKHz,
      CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH: DEVICE_ATTRIBUTE.busWidth,
      CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE: DEVICE_ATTRIBUTE.l2CacheBytes,
      CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: DEVICE_ATTRIBUTE.computeCapabilityMajor,
      CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: DEVICE_ATTRIBUTE.computeCapabilityMinor,
      CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR: DEVICE_ATTRIBUTE.sharedMemoryPerMultiprocessor,
      CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN: DEVICE_ATTRIBUTE.sharedMemoryPerBlockOptIn,
      CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK: FUNCTION_ATTRIBUTE.maxThreadsPerBlock,
      CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES: FUNCTION_ATTRIBUTE.sharedBytes,
      CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES: FUNCTION_ATTRIBUTE.localBytes,
      CU_FUNC_ATTRIBUTE_NUM_REGS: FUNCTION_ATTRIBUTE.registers,
      CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES: FUNCTION_ATTRIBUTE.maxDynamicSharedBytes,
      CU_JIT_ERROR_LOG_BUFFER: JIT_OPTION.errorLogBuffer,
      CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES: JIT_OPTION.errorLogBufferBytes,
      CU_STREAM_NON_BLOCKING: STREAM_NON_BLOCKING,
      CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: CAPTURE_THREAD_LOCAL,
      CU_EVENT_DEFAULT: EVENT.timed,
      CU_EVENT_DISABLE_TIMING: EVENT.untimed,
      ...knownStatuses(),
    }),
  ],
  'static_assert(has(&cuInit, 4, {8}), "one parameter of 8 bytes");',
);

testHeader(
  "NVRTC's functions are those of nvrtc.h",
  "nvrtc.h",
  await hasHeader("nvrtc.h"),
  [...functionChecks(NVRTC_SYMBOLS), ...valueChecks({ NVRTC_ERROR_COMPILATION: 6 })],
  'static_assert(has(&nvrtcVersion, 4, {8}), "one parameter");',
);

testHeader(
  "cuBLASLt's functions, values and structures are those of cublasLt.h",
  "cublasLt.h",
  await hasHeader("cublasLt.h"),
  [
    ...functionChecks(CUBLASLT_SYMBOLS),
    ...valueChecks({
      CUDA_R_32F: DATA_TYPE.f32.code,
      CUDA_R_16F: DATA_TYPE.f16.code,
      CUDA_R_16BF: DATA_TYPE.bf16.code,
      CUBLAS_COMPUTE_32F: COMPUTE_F32,
      CUBLASLT_MATMUL_DESC_TRANSA: MATMUL_ATTRIBUTE.transposeA,
      CUBLASLT_MATMUL_DESC_TRANSB: MATMUL_ATTRIBUTE.transposeB,
      CUBLASLT_MATMUL_DESC_EPILOGUE: MATMUL_ATTRIBUTE.epilogue,
      CUBLASLT_MATMUL_DESC_BIAS_POINTER: MATMUL_ATTRIBUTE.biasPointer,
      CUBLASLT_EPILOGUE_DEFAULT: EPILOGUE.none,
      CUBLASLT_EPILOGUE_BIAS: EPILOGUE.bias,
      CUBLASLT_MATRIX_LAYOUT_TYPE: LAYOUT_ATTRIBUTE.type,
      CUBLASLT_MATRIX_LAYOUT_ORDER: LAYOUT_ATTRIBUTE.order,
      CUBLASLT_MATRIX_LAYOUT_ROWS: LAYOUT_ATTRIBUTE.rows,
      CUBLASLT_MATRIX_LAYOUT_COLS: LAYOUT_ATTRIBUTE.columns,
      CUBLASLT_MATRIX_LAYOUT_LD: LAYOUT_ATTRIBUTE.leadingDimension,
      CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES: PREFERENCE_ATTRIBUTE.workspaceBytes,
      CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK: PREFERENCE_ATTRIBUTE.reductionSchemes,
      CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES: PREFERENCE_ATTRIBUTE.alignmentA,
      CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES: PREFERENCE_ATTRIBUTE.alignmentB,
      CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES: PREFERENCE_ATTRIBUTE.alignmentC,
      CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES: PREFERENCE_ATTRIBUTE.alignmentD,
      CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE: REDUCTION_IN_F32,
      CUBLASLT_ALGO_CONFIG_ID: ALGORITHM_ATTRIBUTE.id,
      CUBLASLT_ALGO_CONFIG_TILE_ID: ALGORITHM_ATTRIBUTE.tile,
      CUBLASLT_ALGO_CONFIG_SPLITK_NUM: ALGORITHM_ATTRIBUTE.splits,
      CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME: ALGORITHM_ATTRIBUTE.reduction,
      CUBLASLT_ALGO_CONFIG_STAGES_ID: ALGORITHM_ATTRIBUTE.stages,
      "sizeof(cublasLtMatmulAlgo_t)": ALGORITHM_BYTES,
      "sizeof(cublasLtMatmulHeuristicResult_t)": HEURISTIC_RESULT.bytes,
      "offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize)": HEURISTIC_RESULT.workspaceBytes,
      "offsetof(cublasLtMatmulHeuristicResult_t, state)": HEURISTIC_RESULT.status,
    }),
  ],
  'static_assert(sizeof(cublasLtMatmulAlgo_t) == 63, "one byte less");',
);

Deno.test({
  name: "createDescriptors() and createPreference() are read back alike from the real cuBLASLt",
  ignore: !HAS_CUBLASLT,
  fn: () => {
    const library = CublasLt.open(REAL_PLACES);
    try {
      const { functions } = library;
      const value = new Out();
      const written = new Out();
      const problem = {
        rows: 96,
        columns: 40,
        inner: 64,
        transposeA: true,
        input: "bf16",
        output: "bf16",
        bias: true,
      } as const;
      const descriptors = createDescriptors(library, problem);
      /** Reads an attribute by a function of the library, which must fill all its bytes and no more. */
      const attribute = (
        get: (buffer: BufferSource, bytes: bigint, written: BufferSource) => number,
        name: string,
        bytes: number,
      ): Out => {
        value.buffer.fill(0);
        assert.equal(get(value.buffer, BigInt(bytes), written.buffer), 0, name);
        assert.equal(written.bytes, bytes, name);
        return value;
      };
      const operation = (name: keyof typeof MATMUL_ATTRIBUTE, bytes: number): number =>
        attribute(
          (...out) => functions.cublasLtMatmulDescGetAttribute(descriptors.operation, MATMUL_ATTRIBUTE[name], ...out),
          name,
          bytes,
        ).i32;
      assert.equal(operation("transposeA", 4), 0);
      assert.equal(operation("transposeB", 4), 1);
      assert.equal(operation("epilogue", 4), EPILOGUE.bias);
      assert.equal(operation("biasPointer", 8), 16);

      const layout = (handle: bigint) => {
        const read = (name: keyof typeof LAYOUT_ATTRIBUTE, bytes: number): number =>
          attribute(
            (...out) => functions.cublasLtMatrixLayoutGetAttribute(handle, LAYOUT_ATTRIBUTE[name], ...out),
            name,
            bytes,
          ).bytes;
        return [read("type", 4), read("order", 4), read("rows", 8), read("columns", 8), read("leadingDimension", 8)];
      };
      const { bf16 } = DATA_TYPE;
      assert.deepEqual(layout(descriptors.first), [bf16.code, 0, 40, 64, 40], "B (64, 40)");
      assert.deepEqual(layout(descriptors.second), [bf16.code, 0, 96, 64, 96], "A (64, 96)");
      assert.deepEqual(layout(descriptors.third), [bf16.code, 0, 40, 96, 40], "D (96, 40)");

      const preference = createPreference(library, 32 << 20);
      const preferred = (name: keyof typeof PREFERENCE_ATTRIBUTE, bytes: number): number =>
        attribute(
          (...out) => functions.cublasLtMatmulPreferenceGetAttribute(preference, PREFERENCE_ATTRIBUTE[name], ...out),
          name,
          bytes,
        ).bytes;
      assert.equal(preferred("workspaceBytes", 8), 32 << 20);
      assert.equal(preferred("reductionSchemes", 4), REDUCTION_IN_F32);
      for (const name of ["alignmentA", "alignmentB", "alignmentC", "alignmentD"] as const) {
        assert.equal(preferred(name, 4), 16, name);
      }
      functions.cublasLtMatmulPreferenceDestroy(preference);
      destroyDescriptors(library, descriptors);
    } finally {
      library.close();
    }
  },
});

Deno.test({
  name: "CublasLt.check() names the status as the real library does",
  ignore: !HAS_CUBLASLT,
  fn: () => {
    const library = CublasLt.open(REAL_PLACES);
    try {
      assert.match(library.version, /^cuBLASLt \d+\.\d+\.\d+$/);
      assert.throws(
        () => library.check(15, "A matmul"),
        /A matmul failed with CUBLAS_STATUS_NOT_SUPPORTED \(15\): cuBLASLt .* was found at /,
      );
    } finally {
      library.close();
    }
  },
});
