/** TensorFlow's own library, through the native bindings of tfjs-node: on a CUDA device, or on the CPU. */
import { createRequire } from "node:module";
import { Device } from "../cuda/driver/device.ts";
import { UserError } from "../../errors.ts";
import type { TensorFlow } from "./api.ts";
import { asTensorFlow, type Backend, BackendRefused, loadTensorFlow, TENSORFLOW_PACKAGE } from "./backend.ts";
import { PARALLEL_LIMITS } from "./memory.ts";
import type { TensorFlowPackages } from "./packages.ts";

const GPU_PACKAGE = "@tensorflow/tfjs-node-gpu";
const CPU_PACKAGE = "@tensorflow/tfjs-node";
/** Whether NVIDIA's libraries may round the factors of f32 matmuls. */
const TF32_VARIABLE = "NVIDIA_TF32_OVERRIDE";
/** Both packages register this name. */
const REGISTERED = "tensorflow";

/** A binding that was loaded: both in one process would be two copies of one library. */
interface Binding {
  readonly packageName: string;
  readonly tf: TensorFlow;
  readonly usesGpu: boolean;
  /** of TensorFlow's library */
  readonly version: string;
}

let loaded: Binding | undefined;

/** TensorFlow on a CUDA device. */
export async function startNodeGpu(packages: TensorFlowPackages): Promise<Backend> {
  const binding = await load(packages, GPU_PACKAGE);
  if (!binding.usesGpu) throw new BackendRefused("its library loads, but finds no CUDA device");
  return await describe("tfjs-node-gpu", binding, gpuName());
}

/** TensorFlow on the CPU: of tfjs-node, or of tfjs-node-gpu where no device is found and only that is there. */
export async function startNode(packages: TensorFlowPackages): Promise<Backend> {
  let binding = loaded;
  if (binding === undefined) {
    binding = await load(packages, CPU_PACKAGE).catch(async (error) => {
      if (!(error instanceof BackendRefused)) throw error;
      return await load(packages, GPU_PACKAGE).catch(() => {
        throw error;
      });
    });
  }
  if (binding.usesGpu) throw new BackendRefused("the library that loads computes on a CUDA device");
  return await describe("tfjs-node", binding, "CPU");
}

async function describe(name: "tfjs-node-gpu" | "tfjs-node", binding: Binding, device: string): Promise<Backend> {
  const { tf, usesGpu, version } = binding;
  await tf.setBackend(REGISTERED);
  return {
    name,
    tf,
    registered: REGISTERED,
    memory: PARALLEL_LIMITS,
    processBytes: 620 * 2 ** 20,
    device,
    usesGpu,
    libraries: { [TENSORFLOW_PACKAGE]: tf.version_core, TensorFlow: version },
  };
}

/** Loads a binding, or says why it cannot be. */
async function load(packages: TensorFlowPackages, name: string): Promise<Binding> {
  if (loaded?.packageName === name) return loaded;
  if (loaded !== undefined) throw new BackendRefused(`"${loaded.packageName}" is loaded already`);
  await requirePermissions();
  restoreOldUtilities();
  // Since Ampere, TensorFlow would round the factors of matmuls to 10 bits. NVIDIA's libraries read this when loaded.
  Deno.env.set(TF32_VARIABLE, "0");
  let exports: unknown;
  try {
    exports = packages.load(name);
  } catch (error) {
    if (error instanceof UserError) throw new BackendRefused("it is not installed", { cause: error });
    forgetKernels(loadTensorFlow(packages));
    throw new BackendRefused(reasonOf(error), { cause: error });
  }
  const tf = asTensorFlow(name, exports);
  const backend = tf.backend();
  loaded = { packageName: name, tf, usesGpu: usesGpu(backend), version: libraryVersion(backend) };
  return loaded;
}

/** Asked for before the import, which would stop at a prompt, or fail with a message about some variable. */
async function requirePermissions(): Promise<void> {
  const missing: string[] = [];
  if ((await Deno.permissions.query({ name: "ffi" })).state !== "granted") missing.push("--allow-ffi");
  const { state } = await Deno.permissions.query({ name: "env", variable: TF32_VARIABLE });
  if (state !== "granted") missing.push(`--allow-env=${TF32_VARIABLE}`);
  if (missing.length > 0) throw new BackendRefused(`it needs ${missing.join(" and ")}`);
}

/** Functions that Node.js dropped from `util`, and that tfjs-node still calls. */
function restoreOldUtilities(): void {
  const util: Record<string, unknown> = createRequire(import.meta.url)("node:util");
  util["isNullOrUndefined"] ??= (value: unknown) => value === null || value === undefined;
  util["isArray"] ??= Array.isArray;
}

/** A package names its kernels before it looks for its library; the next one would find them named already. */
function forgetKernels(tf: TensorFlow): void {
  for (const { kernelName } of tf.getKernelsForBackend(REGISTERED)) tf.unregisterKernel(kernelName, REGISTERED);
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (message.includes("native addon module")) {
    return "its native library is not there: its install script was not allowed to run, or could not download it";
  }
  // The loader's messages begin with the file they are about.
  return `it cannot be loaded: ${message.split("\n")[0]?.replace(/(file:\/\/)?\/\S*\//g, "")}`;
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function usesGpu(backend: unknown): boolean {
  return member(backend, "isUsingGpuDevice") === true;
}

function libraryVersion(backend: unknown): string {
  const version = member(member(backend, "binding"), "TF_Version");
  return typeof version === "string" ? version : "unknown";
}

/** The first GPU's name by NVIDIA's driver: TensorFlow's binding does not tell. */
function gpuName(): string {
  try {
    const device = Device.open();
    const { name } = device.properties;
    device.close();
    return name;
  } catch {
    return "a CUDA device";
  }
}
