/** A backend of TensorFlow.js that runs here, and what to say where one does not. */
import { isTensorFlow, type TensorFlow } from "./api.ts";
import type { BackendName } from "./backend_names.ts";
import type { MemoryLimits } from "./memory.ts";
import type { TensorFlowPackages } from "./packages.ts";

/** A backend that runs. */
export interface Backend {
  readonly name: BackendName;
  readonly tf: TensorFlow;
  /** TensorFlow.js's name of it */
  readonly registered: string;
  readonly memory: MemoryLimits;
  /** resident bytes of a process that reproduces, before any tensor is made; measured */
  readonly processBytes: number;
  /** what computes: a processor or a GPU */
  readonly device: string;
  readonly usesGpu: boolean;
  /** versions by name */
  readonly libraries: Readonly<Record<string, string>>;
  /** Runs a call and throws if the device refused any of its operations; absent if operations throw by themselves. */
  guard?<T>(call: () => Promise<T>): Promise<T>;
}

/** Why a backend does not run here; its message is a sentence without a stop, and names no path. */
export class BackendRefused extends Error {
  /** for programs that cannot use `instanceof` */
  override readonly name = "BackendRefused";
}

/** Name of the package that all backends compute with. */
export const TENSORFLOW_PACKAGE = "@tensorflow/tfjs";

/** @throws {Error} if the package is not TensorFlow.js */
export function asTensorFlow(name: string, exports: unknown): TensorFlow {
  if (!isTensorFlow(exports)) throw new Error(`The package "${name}" is not TensorFlow.js as this engine knows it`);
  return exports;
}

/**
 * TensorFlow.js itself.
 *
 * @throws {UserError} `TENSORFLOW_NOT_INSTALLED`
 */
export function loadTensorFlow(packages: TensorFlowPackages): TensorFlow {
  return asTensorFlow(TENSORFLOW_PACKAGE, packages.load(TENSORFLOW_PACKAGE));
}
