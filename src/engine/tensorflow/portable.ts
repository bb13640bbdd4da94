/** The backends that run wherever Deno does: WebAssembly, and plain JavaScript. */
import { type Backend, BackendRefused, loadTensorFlow, TENSORFLOW_PACKAGE } from "./backend.ts";
import { ONE_THREAD_LIMITS } from "./memory.ts";
import type { TensorFlowPackages } from "./packages.ts";

/** What 32-bit WebAssembly addresses, less what its allocator loses between tensors. */
const WASM_ADDRESSABLE_BYTES = 3.5 * 2 ** 30;

const COMMON = { device: "CPU, one thread", usesGpu: false, processBytes: 340 * 2 ** 20 } as const;

/** The WASM backend with SIMD, on one thread: TensorFlow.js starts its threads in a browser's workers only. */
export async function startWasm(packages: TensorFlowPackages): Promise<Backend> {
  const tf = loadTensorFlow(packages);
  packages.load("@tensorflow/tfjs-backend-wasm");
  if (!(await tf.setBackend("wasm"))) throw new BackendRefused("TensorFlow.js could not start it");
  return {
    name: "wasm",
    tf,
    registered: "wasm",
    memory: { ...ONE_THREAD_LIMITS, addressable: WASM_ADDRESSABLE_BYTES },
    ...COMMON,
    libraries: { [TENSORFLOW_PACKAGE]: tf.version_core },
  };
}

/** Loops in JavaScript. */
export async function startCpu(packages: TensorFlowPackages): Promise<Backend> {
  const tf = loadTensorFlow(packages);
  await tf.setBackend("cpu");
  // It would advise, on its first use, to install tfjs-node; what was tried has been said.
  const backend = tf.backend();
  if (typeof backend === "object" && backend !== null) Reflect.set(backend, "firstUse", false);
  return {
    name: "cpu",
    tf,
    registered: "cpu",
    memory: ONE_THREAD_LIMITS,
    ...COMMON,
    libraries: { [TENSORFLOW_PACKAGE]: tf.version_core },
  };
}
