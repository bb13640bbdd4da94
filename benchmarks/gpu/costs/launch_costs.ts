/** The least work of any launch of a mode. */
import type { KernelDeclaration } from "../../../src/engine/cuda/kernel_declarations.ts";
import { readKernelUnit } from "../../../src/engine/cuda/kernel_source.ts";
import type { ModelConfig } from "../../../src/model/config.ts";
import { type Cost, type CostRule, type Launch, LaunchReader } from "./cost.ts";
import { MIXED_COSTS } from "./mixed.ts";
import { ORDERED_COSTS } from "./ordered.ts";

/** Kernels that are compiled together, named as their folder is. */
export type Mode = "ordered" | "mixed";

/** A rule for each kernel, by mode: both have one called `cross_entropy` and one called `adamw`. */
export const COST_RULES: Readonly<Record<Mode, Readonly<Record<string, CostRule>>>> = {
  ordered: ORDERED_COSTS,
  mixed: MIXED_COSTS,
};

/** Costs of one mode's launches. */
export class LaunchCosts {
  readonly #mode: Mode;
  readonly #declarations: ReadonlyMap<string, KernelDeclaration>;

  private constructor(mode: Mode, declarations: ReadonlyMap<string, KernelDeclaration>) {
    this.#mode = mode;
    this.#declarations = declarations;
  }

  /** Reads the names of all parameters from the kernels' source. */
  static async read(mode: Mode): Promise<LaunchCosts> {
    return new LaunchCosts(mode, (await readKernelUnit(mode)).kernels);
  }

  /** @throws {Error} if the mode has no such kernel, or it has other parameters than its rule expects */
  of(launch: Launch, model: ModelConfig): Cost {
    const rule = COST_RULES[this.#mode][launch.kernel], declaration = this.#declarations.get(launch.kernel);
    if (rule === undefined || declaration === undefined) {
      throw new Error(`Nothing says what kernel "${launch.kernel}" of the ${this.#mode} mode costs`);
    }
    return rule(new LaunchReader(launch, declaration, model));
  }
}
