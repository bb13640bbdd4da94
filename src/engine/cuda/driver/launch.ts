/** Launches kernels, each after a check of its shape: what the driver only refuses later, or not at all. */
import { FUNCTION_ATTRIBUTE, STATUS } from "./abi.ts";
import type { DeviceProperties } from "./device_properties.ts";
import type { Driver } from "./driver.ts";
import type { Kernel, LaunchShape } from "./kernel.ts";
import type { View } from "./view.ts";

/** Blocks along x, y and z that every device since compute capability 3.0 takes. */
const MAX_GRID = [2 ** 31 - 1, 65535, 65535] as const;

function isWithin(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= most;
}

/** Lets a kernel have more dynamic shared memory than the 48 KiB that need no asking. */
function raiseSharedLimit(driver: Driver, properties: DeviceProperties, kernel: Kernel, sharedBytes: number): void {
  const most = properties.sharedMemoryPerBlock - kernel.resources.sharedBytes;
  if (!isWithin(sharedBytes, most)) {
    throw new RangeError(
      `Kernel "${kernel.name}" asks for ${sharedBytes} bytes of shared memory a block; ${properties.name} has ${most}`,
    );
  }
  const attribute = FUNCTION_ATTRIBUTE.maxDynamicSharedBytes;
  const status = driver.functions.cuFuncSetAttribute(kernel.handle, attribute, sharedBytes);
  driver.check(status, `Allowing kernel "${kernel.name}" ${sharedBytes} bytes of shared memory`);
  kernel.dynamicSharedLimit = sharedBytes;
}

/** @throws {RangeError} if the shape or an argument is wrong */
export function launchKernel(
  driver: Driver,
  properties: DeviceProperties,
  stream: bigint,
  kernel: Kernel,
  { grid, block, sharedBytes = 0 }: LaunchShape,
  args: readonly (View | number | bigint)[],
): void {
  const [x, y, z] = typeof grid === "number" ? [grid, 1, 1] as const : grid;
  if (!isWithin(x, MAX_GRID[0]) || !isWithin(y, MAX_GRID[1]) || !isWithin(z, MAX_GRID[2])) {
    throw new RangeError(`Kernel "${kernel.name}" cannot be launched on a grid of ${x} × ${y} × ${z} blocks`);
  }
  const { maxThreadsPerBlock } = kernel.resources;
  if (!isWithin(block, maxThreadsPerBlock)) {
    throw new RangeError(`Kernel "${kernel.name}" has at most ${maxThreadsPerBlock} threads a block, not ${block}`);
  }
  if (sharedBytes !== 0 && !isWithin(sharedBytes, kernel.dynamicSharedLimit)) {
    raiseSharedLimit(driver, properties, kernel, sharedBytes);
  }
  kernel.pack(args);
  const { handle, table } = kernel;
  const status = driver.functions.cuLaunchKernel(handle, x, y, z, block, 1, 1, sharedBytes, stream, table, 0n);
  if (status !== STATUS.success) driver.check(status, `Launching kernel "${kernel.name}"`);
}
