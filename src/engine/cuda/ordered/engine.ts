/** The CUDA engine's ordered mode: the exact engine's arithmetic on one NVIDIA GPU. */
import type { Engine, Session, SessionOptions } from "../../engine.ts";
import { parameterCount } from "../../../model/config.ts";
import { ARITHMETIC_VERSION } from "../../ordered/arithmetic.ts";
import { compileKernels } from "../driver/compile_kernels.ts";
import { describeDevice } from "../driver/description.ts";
import { Device } from "../driver/device.ts";
import { readKernelUnit } from "../kernel_source.ts";
import type { CudaEngineOptions } from "../options.ts";
import { OrderedKernels } from "./kernels.ts";
import { planOrderedMemory } from "./memory.ts";
import { OrderedSession } from "./session.ts";

/** No operation is contracted: every fma is written in the source. */
export const ORDERED_FLAGS: readonly string[] = ["--std=c++17", "--fmad=false"];

/** Resident bytes of Deno with an opened driver, before any state is copied to the host. */
const HOST_BASE_BYTES = 300 * 2 ** 20;

/**
 * Opens a GPU for ordered arithmetic: the exact engine's bits, at a GPU's speed.
 *
 * @throws {UserError} `CUDA_UNAVAILABLE` without driver, device or compiler, with each place looked at
 */
export async function createOrderedCudaEngine(options: CudaEngineOptions = {}): Promise<Engine> {
  const device = Device.open(options);
  try {
    const facts = describeDevice(device.properties, options);
    const unit = await readKernelUnit("ordered");
    const compiled = await compileKernels(unit.text, {
      ...options,
      device: device.properties,
      flags: ORDERED_FLAGS,
    });
    const kernels = new OrderedKernels(device, device.load(compiled.image));
    const sessions = new Set<Session>();
    return {
      name: "cuda-ordered",
      deviceId: device.properties.uuid,
      level: "machine_to_machine",
      arithmetic: ARITHMETIC_VERSION,
      description: {
        ...facts,
        compiler: compiled.compiler,
        kernels: compiled.digest,
        image: compiled.imageDigest,
      },
      machine: {
        gpu: `${facts["gpu"]}, driver ${facts["driver release"]}`,
        libraries: { "CUDA of the driver": device.properties.driverVersion, "kernels' compiler": compiled.compiler },
      },
      memoryBytes: (session) => planOrderedMemory(session).bytes,
      peakBytes: ({ model }) => HOST_BASE_BYTES + 3 * 4 * parameterCount(model),
      open: (session: SessionOptions): Promise<Session> => {
        const opened = new OrderedSession(device, kernels, session);
        sessions.add(opened);
        return Promise.resolve(opened);
      },
      close: () => {
        for (const session of sessions) session.close();
        device.close();
      },
    };
  } catch (error) {
    device.close();
    throw error;
  }
}
