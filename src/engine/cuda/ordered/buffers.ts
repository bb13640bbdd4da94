/** A session's regions on the device. */
import type { Device } from "../driver/device.ts";
import type { View } from "../driver/view.ts";
import type { LayerRegionName, OrderedMemory, RegionName } from "./memory.ts";

/** Regions once a session, and once a layer. */
export interface Buffers {
  readonly regions: Readonly<Record<RegionName, View>>;
  readonly layers: readonly Readonly<Record<LayerRegionName, View>>[];
}

/**
 * Takes the planned memory; gives all of it back if some does not fit.
 *
 * @throws {UserError} `OUT_OF_DEVICE_MEMORY` naming the region
 */
export function takeBuffers(device: Device, memory: OrderedMemory, layers: number): Buffers {
  const taken: View[] = [];
  const takeAll = <Name extends string>(sizes: Readonly<Record<Name, number>>, where: string): Record<Name, View> => {
    const entries = Object.entries<number>(sizes).map(([name, bytes]) => {
      // A region that a shape leaves empty (no rotation, no levels) still gets an address.
      const view = device.allocate(Math.max(bytes, 4), `${name}${where}`);
      taken.push(view);
      return [name, view];
    });
    return Object.fromEntries(entries);
  };
  try {
    return {
      regions: takeAll(memory.regions, ""),
      layers: Array.from({ length: layers }, (_, layer) => takeAll(memory.layerRegions, ` of layer ${layer}`)),
    };
  } catch (error) {
    for (const view of taken) device.free(view);
    throw error;
  }
}

/** Gives the memory back. */
export function freeBuffers(device: Device, { regions, layers }: Buffers): void {
  for (const part of [regions, ...layers]) for (const view of Object.values(part)) device.free(view);
}
