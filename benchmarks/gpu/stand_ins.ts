/** CPU stand-ins: for a rehearsal, and to compare a GPU with. */
import type { KernelChoice } from "../../src/engine/cuda/kernel_source.ts";
import { mixedKernelChoice } from "../../src/engine/cuda/mixed/specialization.ts";
import { buildStandIn } from "../../tests/engine/cuda/stand_in/build.ts";
import { loadScale } from "../../src/experiment/catalogue.ts";
import { modelOf, SIZES } from "./task.ts";

/** Objects of stand-ins, shared with the tests'. */
const STAND_IN_OBJECTS = ".cache/stand_in/objects";

/** Kernels of every model that a rehearsal trains. */
async function rehearsedKernels(): Promise<KernelChoice[]> {
  const smoke = (await loadScale("smoke")).model.config;
  const models = [smoke, ...SIZES.map((size) => modelOf(size, true))];
  const choices = (["bf16", "fp16"] as const).flatMap((precision) =>
    models.map((model) => mixedKernelChoice(model, precision))
  );
  const distinct = new Map(choices.map((choice) => [JSON.stringify(choice), choice]));
  return [{ name: "ordered" }, ...distinct.values()];
}

/** Builds the stand-in of the ordered mode, to compare a GPU with; its folder. */
export async function orderedStandIn(work: string): Promise<string> {
  return (await buildStandIn(`${work}/stand_in_ordered`, { units: ["ordered"], objects: STAND_IN_OBJECTS })).folder;
}

/** Builds the stand-in for all that a rehearsal runs; its folder. */
export async function rehearsalStandIn(work: string): Promise<string> {
  const units = await rehearsedKernels();
  return (await buildStandIn(`${work}/stand_in`, { units, objects: STAND_IN_OBJECTS })).folder;
}
