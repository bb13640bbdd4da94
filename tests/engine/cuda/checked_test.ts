/**
 * Training on the checked stand-in, which looks at every access of memory: no kernel of either mode reads or writes outside
 * of what it was given, at a misaligned address, or where another thread may read or write at the same time.
 */
import assert from "node:assert/strict";
import { compileKernels } from "../../../src/engine/cuda/driver/compile_kernels.ts";
import { Device } from "../../../src/engine/cuda/driver/device.ts";
import { ORDERED_FLAGS } from "../../../src/engine/cuda/ordered/engine.ts";
import { loadMixedKernels } from "../../../src/engine/cuda/mixed/kernels.ts";
import type { MixedPrecision } from "../../../src/engine/cuda/mixed/precision.ts";
import { MixedSession } from "../../../src/engine/cuda/mixed/session.ts";
import { MIXED_FLAGS, mixedKernelChoice } from "../../../src/engine/cuda/mixed/specialization.ts";
import { OrderedKernels } from "../../../src/engine/cuda/ordered/kernels.ts";
import { OrderedSession } from "../../../src/engine/cuda/ordered/session.ts";
import type { KernelChoice } from "../../../src/engine/cuda/kernel_source.ts";
import { buildStandIn } from "./stand_in/build.ts";
import { StandInControls } from "./stand_in/controls.ts";
import type { Session, SessionOptions } from "../../../src/engine/engine.ts";
import { LEARNING_RATE, loadWeights, OPTIMIZER, randomTokens, randomWeights, SMALL_MODEL } from "../fixture.ts";
import { ignoreWithoutCompiler, OBJECTS } from "./stand_in_fixture.ts";

/** Sizes that are no multiples of a tile. */
const OPTIONS: SessionOptions = {
  model: { ...SMALL_MODEL, hiddenSize: 48, heads: 3, intermediateSize: 72, vocabularySize: 104, sequenceLength: 40 },
  optimizer: OPTIMIZER,
  batchSequences: 6,
  gradientBlockSequences: 2,
};

const SEEDS = [0, 1];

interface Mode {
  readonly name: string;
  readonly choice: KernelChoice;
  readonly flags: readonly string[];
  open(device: Device, image: Uint8Array): Session;
}

const ORDERED: Mode = {
  name: "ordered",
  choice: { name: "ordered" },
  flags: ORDERED_FLAGS,
  open: (device, image) => new OrderedSession(device, new OrderedKernels(device, device.load(image)), OPTIONS),
};

const mixed = (precision: MixedPrecision): Mode => ({
  name: precision,
  choice: mixedKernelChoice(OPTIONS.model, precision),
  flags: MIXED_FLAGS,
  open: (device, image) =>
    new MixedSession({ device, kernels: loadMixedKernels(device.load(image)), precision, memory: {} }, OPTIONS),
});

for (const { name, choice, flags, open } of [ORDERED, mixed("fp16"), mixed("bf16")]) {
  Deno.test({
    name: `no kernel races or leaves its memory when the ${name} mode trains and evaluates`,
    ignore: ignoreWithoutCompiler,
    fn: async () => {
      const folder = `.cache/stand_in/checked-${name}`;
      const { units: [unit] } = await buildStandIn(folder, { units: [choice], objects: OBJECTS, variant: "checked" });
      assert(unit !== undefined);
      const controls = new StandInControls(folder);
      try {
        for (const seed of SEEDS) {
          controls.seed(seed);
          await trainOnce({ folder, text: unit.text, flags, open });
          assert(controls.launches > 50, `${controls.launches} launches`);
        }
      } finally {
        controls.reset();
        controls.close();
      }
    },
  });
}

async function trainOnce(
  { folder, text, flags, open }: Pick<Mode, "flags" | "open"> & { folder: string; text: string },
): Promise<void> {
  const { model, batchSequences } = OPTIONS;
  const device = Device.open({ libraryFolders: [folder], onlyThere: true });
  try {
    const places = { libraryFolders: [folder], onlyThere: true };
    const { image } = await compileKernels(text, { ...places, device: device.properties, flags });
    const session = open(device, image);
    await loadWeights(session, randomWeights(model));
    for (let step = 0; step < 2; step++) {
      const { loss } = await session.step(randomTokens(model, batchSequences, step), LEARNING_RATE, step);
      assert(Number.isFinite(loss));
    }
    await session.evaluate(randomTokens(model, 3, 9));
    await session.logits(randomTokens(model, 1, 8).subarray(0, model.sequenceLength));
    session.close();
  } finally {
    device.close();
  }
}
