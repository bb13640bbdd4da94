/** Names of the backends of TensorFlow.js that the engine computes on. */

/** A backend, as `--backend` names it. */
export type BackendName = "tfjs-node-gpu" | "tfjs-node" | "webgpu" | "wasm" | "cpu";

/** In the order in which they are tried: the fastest first. */
export const BACKEND_NAMES: readonly BackendName[] = ["tfjs-node-gpu", "tfjs-node", "webgpu", "wasm", "cpu"];

/** Whether a word names a backend. */
export function isBackendName(name: string): name is BackendName {
  return BACKEND_NAMES.some((known) => known === name);
}
