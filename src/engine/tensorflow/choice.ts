/** Which backend of TensorFlow.js computes: the first that runs here, or the one that was asked for. */
import { suggest, UserError } from "../../errors.ts";
import { type Backend, BackendRefused, loadTensorFlow } from "./backend.ts";
import { BACKEND_NAMES, type BackendName, isBackendName } from "./backend_names.ts";
import { startNode, startNodeGpu } from "./native.ts";
import type { TensorFlowPackages } from "./packages.ts";
import { startCpu, startWasm } from "./portable.ts";
import { startWebGpu } from "./webgpu.ts";

/** A backend that was not taken. */
export interface BackendRefusal {
  /** as `--backend` names it */
  readonly backend: BackendName;
  /** in words that follow "since" */
  readonly reason: string;
}

/** The backend that computes, and those before it. */
export interface BackendChoice {
  readonly backend: Backend;
  /** in the order in which they were tried */
  readonly refusals: readonly BackendRefusal[];
}

/**
 * Starts a backend. One that is asked for by name is started or refused, never replaced.
 *
 * @param name one of {@linkcode BACKEND_NAMES}; default: the first of them that runs
 * @throws {UserError} `TENSORFLOW_NOT_INSTALLED`, `UNKNOWN_BACKEND`, or `BACKEND_UNAVAILABLE` with the reason
 */
export async function chooseBackend(packages: TensorFlowPackages, name?: string): Promise<BackendChoice> {
  if (name !== undefined && !isBackendName(name)) {
    throw new UserError("UNKNOWN_BACKEND", `Unknown backend "${name}"`, suggest(name, BACKEND_NAMES));
  }
  loadTensorFlow(packages); // without it, there is one thing to say and not five
  const refusals: BackendRefusal[] = [];
  for (const candidate of name === undefined ? BACKEND_NAMES : [name]) {
    try {
      return { backend: await start(candidate, packages, name !== undefined), refusals };
    } catch (error) {
      if (error instanceof UserError) throw error;
      refusals.push({ backend: candidate, reason: reasonOf(error) });
    }
  }
  if (name !== undefined) {
    throw new UserError(
      "BACKEND_UNAVAILABLE",
      `The backend "${name}" of TensorFlow.js does not run here, since ${refusals[0]?.reason}`,
      'docs/tensorflow.md says what it needs; without "--backend", the first that runs is taken',
    );
  }
  const reasons = refusals.map(({ backend, reason }) => `${backend}: ${reason}`).join("; ");
  throw new UserError("BACKEND_UNAVAILABLE", "No backend of TensorFlow.js runs here", reasons);
}

function reasonOf(error: unknown): string {
  if (error instanceof BackendRefused) return error.message;
  return `it failed when it was started: ${error instanceof Error ? error.message : error}`;
}

function start(name: BackendName, packages: TensorFlowPackages, byName: boolean): Promise<Backend> {
  switch (name) {
    case "tfjs-node-gpu":
      return startNodeGpu(packages);
    case "tfjs-node":
      return startNode(packages);
    case "webgpu":
      return startWebGpu(packages, byName);
    case "wasm":
      return startWasm(packages);
    case "cpu":
      return startCpu(packages);
  }
}
