/** What CUDA's statuses mean for the person who meets them. */
import { type ErrorCode, UserError } from "../../../errors.ts";

interface Explanation {
  readonly name: string;
  readonly code: ErrorCode;
  readonly remedy: string;
}

const OLD_DRIVER = "install a newer NVIDIA driver, or an older CUDA toolkit for NVRTC and cuBLASLt";
const KERNEL_BUG =
  'this is a bug in a kernel: please report it, with what "compute-sanitizer" prints for the same command';
const HARDWARE = 'look at "nvidia-smi -q" and the kernel log for Xid messages, and reset or restart the machine';

const unavailable = (name: string, remedy: string): Explanation => ({ name, code: "CUDA_UNAVAILABLE", remedy });
const failed = (name: string, remedy: string): Explanation => ({ name, code: "CUDA_FAILED", remedy });

const BUG = "this is a bug: please report it";
const UNKNOWN = failed("", "look the status up in NVIDIA's documentation of the driver's interface");

/** `CUresult` of cuda.h 13.0: the statuses that a user or a kernel's author can meet. */
const EXPLANATIONS: Readonly<Record<number, Explanation>> = {
  1: failed("CUDA_ERROR_INVALID_VALUE", BUG),
  2: {
    name: "CUDA_ERROR_OUT_OF_MEMORY",
    code: "OUT_OF_DEVICE_MEMORY",
    remedy: "choose a smaller micro-batch or model, or stop what else uses the GPU",
  },
  3: failed("CUDA_ERROR_NOT_INITIALIZED", BUG),
  4: failed("CUDA_ERROR_DEINITIALIZED", "the driver is shutting down: start again"),
  34: unavailable(
    "CUDA_ERROR_STUB_LIBRARY",
    "the library found is the toolkit's stub for linking: install the NVIDIA driver, and keep the stubs folder out of LD_LIBRARY_PATH",
  ),
  36: unavailable("CUDA_ERROR_CALL_REQUIRES_NEWER_DRIVER", OLD_DRIVER),
  46: unavailable(
    "CUDA_ERROR_DEVICE_UNAVAILABLE",
    "another process has the GPU for itself: stop it, or choose another GPU",
  ),
  100: unavailable(
    "CUDA_ERROR_NO_DEVICE",
    'the driver sees no GPU: look at "nvidia-smi" and CUDA_VISIBLE_DEVICES; in a container start it with "--gpus all"',
  ),
  101: unavailable("CUDA_ERROR_INVALID_DEVICE", 'choose one of the GPUs that "nvidia-smi -L" lists'),
  200: failed(
    "CUDA_ERROR_INVALID_IMAGE",
    "the kernels' image is damaged or for another architecture: delete the kernel cache",
  ),
  201: failed("CUDA_ERROR_INVALID_CONTEXT", "a device is used on the thread that opened it"),
  209: failed(
    "CUDA_ERROR_NO_BINARY_FOR_GPU",
    "the kernels' image is for another architecture: build it for this GPU, or install NVRTC",
  ),
  214: failed("CUDA_ERROR_ECC_UNCORRECTABLE", HARDWARE),
  218: failed("CUDA_ERROR_INVALID_PTX", OLD_DRIVER),
  220: failed("CUDA_ERROR_NVLINK_UNCORRECTABLE", HARDWARE),
  221: failed(
    "CUDA_ERROR_JIT_COMPILER_NOT_FOUND",
    "the driver is installed in part: add its libnvidia-ptxjitcompiler.so.1",
  ),
  222: failed("CUDA_ERROR_UNSUPPORTED_PTX_VERSION", OLD_DRIVER),
  300: failed("CUDA_ERROR_INVALID_SOURCE", BUG),
  304: failed("CUDA_ERROR_OPERATING_SYSTEM", HARDWARE),
  400: failed("CUDA_ERROR_INVALID_HANDLE", BUG),
  500: failed("CUDA_ERROR_NOT_FOUND", "the image holds no such kernel: delete the kernel cache"),
  600: failed("CUDA_ERROR_NOT_READY", BUG),
  700: failed("CUDA_ERROR_ILLEGAL_ADDRESS", KERNEL_BUG),
  701: failed(
    "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES",
    "the kernel needs more registers or shared memory than a block can have: please report it",
  ),
  702: failed(
    "CUDA_ERROR_LAUNCH_TIMEOUT",
    "the GPU serves a display, which stops long kernels: use another GPU or switch its display off",
  ),
  715: failed("CUDA_ERROR_ILLEGAL_INSTRUCTION", KERNEL_BUG),
  716: failed("CUDA_ERROR_MISALIGNED_ADDRESS", KERNEL_BUG),
  719: failed("CUDA_ERROR_LAUNCH_FAILED", KERNEL_BUG),
  800: failed("CUDA_ERROR_NOT_PERMITTED", BUG),
  801: failed("CUDA_ERROR_NOT_SUPPORTED", "this GPU or driver lacks what was asked for"),
  802: unavailable(
    "CUDA_ERROR_SYSTEM_NOT_READY",
    "start the NVIDIA fabric manager, which this machine's NVSwitch needs",
  ),
  803: unavailable(
    "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
    "the driver's library and kernel module differ in version: restart the machine",
  ),
  804: unavailable(
    "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE",
    "this GPU cannot use the forward-compatible libcuda: take the driver's own",
  ),
  900: failed("CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", BUG),
  901: failed("CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", BUG),
  999: failed("CUDA_ERROR_UNKNOWN", HARDWARE),
};

/** A call of the driver that failed. Its code is `CUDA_UNAVAILABLE`, `OUT_OF_DEVICE_MEMORY` or `CUDA_FAILED`. */
export class CudaError extends UserError {
  /** such as `CUDA_ERROR_NO_DEVICE` */
  readonly statusName: string;

  /**
   * @param status `CUresult`
   * @param problem what was asked for and how it went; no final stop
   * @param name the status' name by the driver itself, where it could be asked
   */
  constructor(readonly status: number, problem: string, name?: string) {
    const { code, remedy } = EXPLANATIONS[status] ?? UNKNOWN;
    super(code, problem, remedy);
    this.statusName = statusName(status, name);
  }
}

/** A status' name, with its number where the name is unknown. */
function statusName(status: number, name?: string): string {
  return name ?? EXPLANATIONS[status]?.name ?? `status ${status}`;
}

/**
 * The error for a status that is not success.
 *
 * @param attempt what was asked for, in words or as the function's name
 * @param name the status' name by the driver itself, where it could be asked
 */
export function cudaError(status: number, attempt: string, name?: string): CudaError {
  return new CudaError(status, `${attempt} failed with ${statusName(status, name)} (${status})`, name);
}
