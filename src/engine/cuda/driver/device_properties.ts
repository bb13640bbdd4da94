/** What a device is, as its driver says. */
import { DEVICE_ATTRIBUTE } from "./abi.ts";
import type { Driver } from "./driver.ts";
import { Out, textOf } from "./host_memory.ts";

/** A GPU's fixed properties. */
export interface DeviceProperties {
  /** such as `NVIDIA H200` */
  readonly name: string;
  /** 128 bits in hexadecimal, as `nvidia-smi -L` shows it; `undefined` from drivers before CUDA 11.4 */
  readonly uuid: string | undefined;
  /** major and minor: 9.0 is Hopper */
  readonly computeCapability: readonly [number, number];
  /** streaming multiprocessors */
  readonly multiprocessors: number;
  /** bytes */
  readonly totalMemory: number;
  /** bytes a block may take at most, asked for by {@linkcode LaunchShape.sharedBytes} */
  readonly sharedMemoryPerBlock: number;
  /** bytes of all blocks that a multiprocessor runs at a time */
  readonly sharedMemoryPerMultiprocessor: number;
  /** bytes of the second-level cache */
  readonly l2CacheBytes: number;
  /** newest CUDA that the driver supports: `13.0` */
  readonly driverVersion: string;
  /** highest clock of the multiprocessors */
  readonly clockKHz: number;
  /** highest clock of the memory */
  readonly memoryClockKHz: number;
  /** width of the memory's bus, in bits */
  readonly busWidth: number;
  /** whether memory corrects single errors */
  readonly errorCorrection: boolean;
}

/** CUDA's versions are 1000 × major + 10 × minor. */
export function cudaVersionText(version: number): string {
  return `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
}

function uuidText(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `GPU-${[hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-")}`;
}

/** Reads the properties of a device of an initialised driver. */
export function readDeviceProperties(driver: Driver, device: number): DeviceProperties {
  const { functions } = driver;
  const out = new Out();
  const attribute = (key: keyof typeof DEVICE_ATTRIBUTE): number => {
    driver.check(
      functions.cuDeviceGetAttribute(out.buffer, DEVICE_ATTRIBUTE[key], device),
      `cuDeviceGetAttribute ${key}`,
    );
    return out.i32;
  };
  const name = new Uint8Array(new ArrayBuffer(256));
  driver.check(functions.cuDeviceGetName(name, name.length, device), "cuDeviceGetName");
  const uuid = new Uint8Array(new ArrayBuffer(16));
  const uuidStatus = functions.cuDeviceGetUuid_v2?.(uuid, device);
  if (uuidStatus !== undefined) driver.check(uuidStatus, "cuDeviceGetUuid");
  driver.check(functions.cuDeviceTotalMem_v2(out.buffer, device), "cuDeviceTotalMem");
  const totalMemory = out.bytes;
  driver.check(functions.cuDriverGetVersion(out.buffer), "cuDriverGetVersion");
  const driverVersion = cudaVersionText(out.i32);
  return {
    name: textOf(name),
    uuid: uuidStatus === undefined ? undefined : uuidText(uuid),
    computeCapability: [attribute("computeCapabilityMajor"), attribute("computeCapabilityMinor")],
    multiprocessors: attribute("multiprocessors"),
    totalMemory,
    sharedMemoryPerBlock: attribute("sharedMemoryPerBlockOptIn"),
    sharedMemoryPerMultiprocessor: attribute("sharedMemoryPerMultiprocessor"),
    l2CacheBytes: attribute("l2CacheBytes"),
    driverVersion,
    clockKHz: attribute("clockKHz"),
    memoryClockKHz: attribute("memoryClockKHz"),
    busWidth: attribute("busWidth"),
    errorCorrection: attribute("eccEnabled") !== 0,
  };
}
