/** Names of the backends of TensorFlow.js that the engine computes on. */

/** In the order in which they are tried: the fastest first. */
export const BACKEND_NAMES = ["tfjs-node-gpu", "tfjs-node", "webgpu", "wasm", "cpu"] as const;

/** Name of a backend. */
export type BackendName = (typeof BACKEND_NAMES)[number];

/** Whether a word names a backend. */
export function isBackendName(name: string): name is BackendName {
  return BACKEND_NAMES.some((known) => known === name);
}
