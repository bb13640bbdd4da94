/** A session's memory on the device. */
import { parameterCount } from "../../../model/config.ts";
import { UserError } from "../../../errors.ts";
import type { SessionOptions } from "../../engine.ts";
import type { Device } from "../driver/device.ts";
import type { View } from "../driver/view.ts";
import { FLOAT_BYTES } from "../views.ts";
import {
  largestGradientBlock,
  type LayerRegionName,
  type MixedMemory,
  type MixedMemoryOptions,
  type RegionName,
} from "./memory.ts";

/** Activations of one layer. */
export type LayerBuffers = Readonly<Record<LayerRegionName, View>>;

/** Everything that a session has taken. */
export interface Buffers {
  readonly regions: Readonly<Record<RegionName, View>>;
  /** one a layer, or one that all layers use in turn */
  readonly layers: readonly LayerBuffers[];
  /** the residual stream before each layer, f32 (rows, h), where activations are computed again */
  readonly layerInputs: readonly View[];
  /** flat gradients, f32 */
  readonly gradients: readonly View[];
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

/** @throws {UserError} `OUT_OF_DEVICE_MEMORY` naming the parts, and the gradient block that would fit */
export function requireMemory(
  { parts, bytes }: MixedMemory,
  available: number,
  options: SessionOptions,
  memoryOptions: MixedMemoryOptions,
): void {
  if (bytes <= available) return;
  const list = Object.entries(parts).map(([name, part]) => `${name} ${gibibytes(part)}`).join(", ");
  const fits = (recompute: boolean) => largestGradientBlock(options, { ...memoryOptions, recompute }, available);
  const kept = fits(false), recomputed = fits(true);
  const remedies = [
    kept === undefined ? [] : [`set gradientBlockSequences to ${kept}`],
    recomputed === undefined ? [] : [`to ${recomputed} with activations recomputed`],
  ].flat();
  throw new UserError(
    "OUT_OF_DEVICE_MEMORY",
    `Training needs ${gibibytes(bytes)} on the GPU (${list}) with ${options.gradientBlockSequences} sequences a ` +
      `gradient block, and ${gibibytes(available)} are free`,
    remedies.length === 0 ? "choose a smaller model or a larger GPU" : remedies.join(", or "),
  );
}

/**
 * Takes the planned memory; gives all of it back if some does not fit.
 *
 * @throws {UserError} `OUT_OF_DEVICE_MEMORY` naming the region
 */
export function takeBuffers(device: Device, memory: MixedMemory, { model }: SessionOptions): Buffers {
  const taken: View[] = [];
  const take = (bytes: number, what: string): View => {
    const view = device.allocate(bytes, what);
    taken.push(view);
    return view;
  };
  const takeAll = <Name extends string>(sizes: Readonly<Record<Name, number>>, where: string): Record<Name, View> => {
    const entries = Object.entries<number>(sizes).map(([name, bytes]) => [name, take(bytes, `${name}${where}`)]);
    return Object.fromEntries(entries);
  };
  const list = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, i) => make(i));
  try {
    return {
      regions: takeAll(memory.regions, ""),
      layers: list(memory.layerSets, (layer) => takeAll(memory.layerRegions, ` of layer ${layer}`)),
      layerInputs: list(memory.keptInputs, (layer) => take(memory.regions.residual, `input of layer ${layer}`)),
      gradients: list(memory.gradientVectors, (i) => take(FLOAT_BYTES * parameterCount(model), `gradient ${i}`)),
    };
  } catch (error) {
    for (const view of taken) device.free(view);
    throw error;
  }
}

/** Gives the memory back. */
export function freeBuffers(device: Device, { regions, layers, layerInputs, gradients }: Buffers): void {
  for (const part of [regions, ...layers]) for (const view of Object.values(part)) device.free(view);
  for (const view of [...layerInputs, ...gradients]) device.free(view);
}
