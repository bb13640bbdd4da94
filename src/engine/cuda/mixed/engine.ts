/** The CUDA engine's mixed mode: tensor cores with 16-bit factors, as the paper trained, or with bf16. */
import { UserError } from "../../../errors.ts";
import { type ModelConfig, parameterCount } from "../../../model/config.ts";
import type { Engine, Session, SessionOptions } from "../../engine.ts";
import { compileKernels } from "../driver/compile_kernels.ts";
import { CublasLt } from "../driver/cublaslt.ts";
import { describeDevice } from "../driver/description.ts";
import { Device } from "../driver/device.ts";
import { readKernelUnit } from "../kernel_source.ts";
import type { CudaEngineOptions } from "../options.ts";
import { loadMixedKernels, type MixedKernels } from "./kernels.ts";
import { planMixedMemory } from "./memory.ts";
import { OWN_MATMULS } from "./own_matmuls.ts";
import { mixedArithmetic, type MixedPrecision } from "./precision.ts";
import { MixedSession } from "./session.ts";
import { MIXED_FLAGS, mixedKernelChoice } from "./specialization.ts";

/** How to compute, besides which GPU and which libraries. */
export interface MixedCudaEngineOptions extends CudaEngineOptions {
  /** format of what tensor cores multiply */
  readonly precision: MixedPrecision;
  /** who multiplies matrices; default: cuBLASLt, and where it is not found the project's own kernels */
  readonly matmuls?: "cuBLASLt" | "own";
  /** activations are computed again in the backward pass: the same bits, less memory, a third more arithmetic */
  readonly recompute?: boolean;
}

/** Resident bytes of Deno with an opened driver and cuBLASLt, before any state is copied to the host. */
const HOST_BASE_BYTES = 400 * 2 ** 20;

/** Kernels of one specialization, loaded. */
interface LoadedKernels {
  readonly kernels: MixedKernels;
  /** what their bits depend on besides the source */
  readonly conditions: Readonly<Record<string, string>>;
}

/**
 * Opens a GPU for training with 16-bit matmuls. Kernels are compiled when a session is opened, for its model's heads.
 *
 * @throws {UserError} `CUDA_UNAVAILABLE` without driver or device, or without cuBLASLt where it was asked for
 */
export function createMixedCudaEngine(options: MixedCudaEngineOptions): Engine {
  const { precision, recompute = false } = options;
  const device = Device.open(options);
  try {
    const facts = describeDevice(device.properties, options);
    const library = openLibrary(options, device);
    // What manifests and conditions call "products" keeps its name there.
    const products = library?.version ?? OWN_MATMULS;
    const matmuls = library === undefined ? "own" as const : "cuBLASLt" as const;
    const sessions = new Set<Session>();
    const loaded = new Map<string, Promise<LoadedKernels>>();

    const load = async (model: ModelConfig): Promise<LoadedKernels> => {
      const choice = mixedKernelChoice(model, precision);
      const key = JSON.stringify(choice.definitions);
      const kernels = loaded.get(key) ?? compile(choice);
      loaded.set(key, kernels);
      return await kernels;
    };
    const compile = async (choice: ReturnType<typeof mixedKernelChoice>): Promise<LoadedKernels> => {
      const { text } = await readKernelUnit(choice);
      const flags = MIXED_FLAGS;
      const { image, compiler, imageDigest } = await compileKernels(text, {
        ...options,
        device: device.properties,
        flags,
      });
      return {
        kernels: loadMixedKernels(device.load(image)),
        conditions: { "kernels' compiler": compiler, "kernels' image": imageDigest },
      };
    };
    return {
      deviceId: device.properties.uuid,
      name: `cuda-${precision}`,
      level: "run_to_run",
      arithmetic: mixedArithmetic(precision),
      description: { ...facts, products, ...(recompute ? { activations: "recomputed" } : {}) },
      conditions: { ...facts, products },
      machine: {
        gpu: `${facts["gpu"]}, driver ${facts["driver release"]}`,
        libraries: { "CUDA of the driver": device.properties.driverVersion, "matrix products": products },
      },
      memoryBytes: (session) => planMixedMemory(session, { recompute, matmuls }).bytes,
      peakBytes: ({ model }) => HOST_BASE_BYTES + 3 * 4 * parameterCount(model),
      open: async (session: SessionOptions): Promise<Session> => {
        const { kernels, conditions } = await load(session.model);
        const parts = { device, kernels, precision, memory: { recompute }, conditions };
        const opened = new MixedSession(library === undefined ? parts : { ...parts, library }, session);
        sessions.add(opened);
        return opened;
      },
      close: () => {
        for (const session of sessions) session.close();
        library?.close();
        device.close();
      },
    };
  } catch (error) {
    device.close();
    throw error;
  }
}

/** cuBLASLt, if it is wanted; `undefined` where it is missing and was not asked for by name. */
function openLibrary(options: MixedCudaEngineOptions, device: Device): CublasLt | undefined {
  if (options.matmuls === "own") return undefined;
  try {
    return CublasLt.open(options, device.properties.driverVersion);
  } catch (error) {
    if (options.matmuls === undefined && error instanceof UserError && error.code === "CUDA_UNAVAILABLE") {
      return undefined;
    }
    throw error;
  }
}
