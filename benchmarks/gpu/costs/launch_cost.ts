/** The least work of any launch, by the table of the mode that its kernel belongs to. */
import type { ModelConfig } from "../../../src/model/config.ts";
import { type Cost, type Launch, LaunchReader } from "./cost.ts";
import { MIXED_COSTS } from "./mixed.ts";
import { ORDERED_COSTS } from "./ordered.ts";

/** Kernels of a mode; both have one called `cross_entropy` and one called `adamw`. */
export type Mode = "ordered" | "mixed";

const COSTS = { ordered: ORDERED_COSTS, mixed: MIXED_COSTS } as const;

/** @throws {Error} if the mode has no such kernel, or the launch has other arguments than its rule expects */
export function costOf(mode: Mode, launch: Launch, model: ModelConfig): Cost {
  const rule = COSTS[mode][launch.kernel];
  if (rule === undefined) throw new Error(`Nothing says what kernel "${launch.kernel}" of the ${mode} mode costs`);
  return rule(new LaunchReader(launch, model));
}
