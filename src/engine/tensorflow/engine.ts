/**
 * The TensorFlow engine: the same model and the same training in TensorFlow.js operations, differentiated by
 * TensorFlow.js. Portable, and an independent judge of the other engines' hand-written gradients; it promises no bits.
 */
import type { Engine, SessionOptions } from "../engine.ts";
import { type BackendRefusal, chooseBackend } from "./choice.ts";
import { TENSORFLOW_IDENTITY } from "./identity.ts";
import { planMemory } from "./memory.ts";
import { installedPackages, type TensorFlowPackages } from "./packages.ts";
import { TensorFlowSession } from "./session.ts";

/** What a caller may choose. */
export interface TensorFlowEngineOptions {
  /** `tfjs-node-gpu`, `tfjs-node`, `webgpu`, `wasm` or `cpu`; default: the first of these that runs here */
  readonly backend?: string;
  /** where TensorFlow.js is; default: what `deno task tensorflow:install` leaves */
  readonly packages?: TensorFlowPackages;
}

/** An engine that says why it computes on no faster backend. */
export interface TensorFlowEngine extends Engine {
  /** backends that were tried first and do not run here */
  readonly refusals: readonly BackendRefusal[];
}

/**
 * Starts TensorFlow.js.
 *
 * @throws {UserError} `TENSORFLOW_NOT_INSTALLED`, `UNKNOWN_BACKEND`, or `BACKEND_UNAVAILABLE` with the reason
 */
export async function createTensorFlowEngine(options: TensorFlowEngineOptions = {}): Promise<TensorFlowEngine> {
  const { backend, refusals } = await chooseBackend(options.packages ?? installedPackages(), options.backend);
  const { name, device, usesGpu, libraries } = backend;
  const description = { backend: name, device, ...libraries };
  const plan = (session: SessionOptions) => planMemory(session, name, backend.memory);
  return {
    name: "tensorflow",
    ...TENSORFLOW_IDENTITY,
    description,
    conditions: description,
    machine: { gpu: usesGpu ? device : "none", libraries },
    refusals,
    memoryBytes: (session) => plan(session).bytes,
    peakBytes: (session) => backend.processBytes + plan(session).bytes,
    open: (session) => TensorFlowSession.open(backend, session, plan(session)),
  };
}

/** What computes, and why nothing faster does: lines for a person. */
export function describeBackend({ description, refusals }: TensorFlowEngine): string {
  const { backend, device, ...versions } = description;
  const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ");
  const width = Math.max(...refusals.map(({ backend }) => backend.length), 0);
  return [
    `backend   ${backend}: ${device}; ${libraries}`,
    ...refusals.map(({ backend, reason }) => `  not ${backend.padEnd(width)}  ${reason}`),
  ].join("\n");
}
