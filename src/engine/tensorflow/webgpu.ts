/** The WebGPU backend, on Deno's own WebGPU. */
import { UserError } from "../../errors.ts";
import { type Backend, BackendRefused, loadTensorFlow, TENSORFLOW_PACKAGE } from "./backend.ts";
import { PARALLEL_LIMITS } from "./memory.ts";
import type { TensorFlowPackages } from "./packages.ts";

/** TensorFlow.js's name of the backend, by which its kernels are registered. */
const NAME = "webgpu";
const PACKAGE = "@tensorflow/tfjs-backend-webgpu";

/** Limits that are asked for as high as the adapter goes; the others stay at WebGPU's defaults. */
const LIMITS = [
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupsPerDimension",
  "maxComputeWorkgroupSizeX",
  "maxComputeInvocationsPerWorkgroup",
  "maxStorageBufferBindingSize",
  "maxBufferSize",
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/** The part of the package that is used. */
interface WebGpuPackage {
  readonly WebGPUBackend: new (device: GPUDevice, info: GPUAdapterInfo) => unknown;
}

function isWebGpuPackage(value: unknown): value is WebGpuPackage {
  return typeof value === "object" && value !== null && "WebGPUBackend" in value &&
    typeof value.WebGPUBackend === "function";
}

/** Started once: a device that is asked for again would hold the tensors of nobody. */
let started: Promise<Backend> | undefined;

/**
 * Starts the backend on the fastest adapter.
 *
 * @param byName whether it was asked for; otherwise an adapter that computes on the CPU is refused, as a slower WASM
 */
export async function startWebGpu(packages: TensorFlowPackages, byName: boolean): Promise<Backend> {
  const adapter = await findAdapter();
  if (adapter.info.isFallbackAdapter && !byName) {
    throw new BackendRefused(`its only adapter computes on the CPU: ${adapter.info.description}`);
  }
  started ??= start(packages, adapter).catch((error) => {
    started = undefined;
    throw error;
  });
  return await started;
}

async function findAdapter(): Promise<GPUAdapter> {
  const { gpu } = navigator;
  if (gpu === undefined) throw new BackendRefused("this runtime has no WebGPU");
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) throw new BackendRefused("no graphics adapter was found");
  return adapter;
}

async function start(packages: TensorFlowPackages, adapter: GPUAdapter): Promise<Backend> {
  const tf = loadTensorFlow(packages);
  const exports = packages.load(PACKAGE);
  if (!isWebGpuPackage(exports)) throw new BackendRefused(`the package "${PACKAGE}" has no backend`);
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  const device = await adapter.requestDevice({ requiredLimits });
  // The package registers itself with a device of its own, which would not tell of its errors.
  if (tf.findBackendFactory(NAME) !== null) tf.removeBackend(NAME);
  tf.registerBackend(NAME, () => new exports.WebGPUBackend(device, adapter.info));
  if (!(await tf.setBackend(NAME))) throw new BackendRefused("TensorFlow.js could not start it");
  const { description, vendor, device: model, isFallbackAdapter } = adapter.info;
  return {
    name: NAME,
    tf,
    registered: NAME,
    memory: PARALLEL_LIMITS,
    processBytes: 340 * 2 ** 20,
    device: description || `vendor ${vendor}, device ${model}`,
    usesGpu: !isFallbackAdapter,
    libraries: { [TENSORFLOW_PACKAGE]: tf.version_core },
    guard: (call) => withErrorScopes(device, call),
  };
}

/** Errors of a device come by themselves, and what was computed before is used as if nothing had happened. */
async function withErrorScopes<T>(device: GPUDevice, call: () => Promise<T>): Promise<T> {
  const filters = ["validation", "out-of-memory", "internal"] as const;
  for (const filter of filters) device.pushErrorScope(filter);
  let result: T;
  const errors: (GPUError | null)[] = [];
  try {
    result = await call();
  } finally {
    for (const _ of filters) errors.push(await device.popErrorScope());
  }
  const error = errors.find((error) => error !== null);
  if (error === undefined) return result;
  const problem = `The WebGPU device refused an operation (${error.message.trim()})`;
  throw new UserError("DEVICE_REFUSED", problem, "train a smaller model, or use another --backend");
}
