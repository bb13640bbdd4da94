/** What a GPU can do at most: by its data sheet, and the utilisation that follows from it. */
import { flopsPerToken, type ModelConfig } from "../../src/model/config.ts";

/** Upper bounds of a device. */
export interface Peaks {
  /** f32 outside of tensor cores, FLOP/s */
  readonly f32: number;
  /** 16-bit factors on tensor cores, dense, FLOP/s */
  readonly half: number;
  /** device memory, bytes read and written a second */
  readonly memory: number;
}

/** H100 and H200 are one processor with different memory. */
const HOPPER = { f32: 66.9e12, half: 989.4e12 } as const;

/** Data sheets of NVIDIA's SXM and PCIe parts, by the name that the driver gives; the first that matches. */
const DATA_SHEETS: readonly (readonly [name: RegExp, peaks: Peaks])[] = [
  [/H200/, { ...HOPPER, memory: 4.8e12 }],
  [/H100 (PCIe|NVL)/, { f32: 51.2e12, half: 756.5e12, memory: 2.0e12 }],
  [/H100/, { ...HOPPER, memory: 3.35e12 }],
  [/A100.*80GB/, { f32: 19.5e12, half: 312e12, memory: 2.039e12 }],
  [/A100/, { f32: 19.5e12, half: 312e12, memory: 1.555e12 }],
];

/** The device that times are predicted for on paper. */
export const PAPER_DEVICE = "NVIDIA H200";

/** A device's data sheet; `undefined` for one that is not listed. */
export function dataSheet(deviceName: string): Peaks | undefined {
  return DATA_SHEETS.find(([name]) => name.test(deviceName))?.[1];
}

/** The formula below in words, for whatever prints a result of it. */
export const MFU_FORMULA =
  "tokens/s · 3 · (2 · (matrix parameters) + 4 · T · h · L) / peak, attention's whole square counted";

/**
 * Model FLOPs utilisation (arXiv 2204.02311, appendix B): the share of a peak that the model's own arithmetic makes up,
 * whatever a trainer computes beyond it.
 *
 * @param peak FLOP/s
 */
export function modelFlopsUtilization(model: ModelConfig, tokensPerSecond: number, peak: number): number {
  return tokensPerSecond * flopsPerToken(model, "full") / peak;
}

/** Least seconds for some work: its arithmetic or its bytes, whichever takes longer. */
export function leastSeconds(
  { flops, bytes, unit }: { readonly flops: number; readonly bytes: number; readonly unit: "f32" | "half" },
  peaks: Peaks,
): number {
  return Math.max(flops / peaks[unit], bytes / peaks.memory);
}
