/** The CPU stand-in with the kernels of `tests/engine/cuda/kernels/`, and what only a stand-in can be told. */
import { compileKernels } from "../../../src/engine/cuda/driver/compile_kernels.ts";
import { Device } from "../../../src/engine/cuda/driver/device.ts";
import type { Kernel } from "../../../src/engine/cuda/driver/kernel.ts";
import type { View } from "../../../src/engine/cuda/driver/view.ts";
import { buildStandIn, type StandInVariant } from "./stand_in/build.ts";
import { StandInControls } from "./stand_in/controls.ts";

/** Where the kernels of the tests lie. */
export const TEST_KERNELS = new URL("kernels/", import.meta.url);

/** Objects of all stand-ins of the tests. */
export const OBJECTS = ".cache/stand_in/objects";

/** Whether tests that need g++ are left out. */
export const ignoreWithoutCompiler: boolean = await new Deno.Command("g++", { args: ["--version"], stdout: "null" })
  .output().then(({ success }) => !success, () => true);

/** A device of the stand-in, opened for one test. */
export interface Bench {
  readonly device: Device;
  readonly controls: StandInControls;
  kernel(name: string): Kernel;
  upload(values: ArrayBufferView<ArrayBuffer>): View;
  floats(view: View): Promise<Float32Array<ArrayBuffer>>;
  words(view: View): Promise<Uint32Array<ArrayBuffer>>;
}

/** Calls `use` with a device that has the kernels of one folder of `tests/engine/cuda/kernels/`. */
export async function withStandIn(
  unit: string,
  use: (bench: Bench) => Promise<void>,
  variant: StandInVariant = "plain",
): Promise<void> {
  const folder = `.cache/stand_in/tests-${unit}-${variant}`;
  const { units: [source] } = await buildStandIn(folder, {
    units: [unit],
    kernels: TEST_KERNELS,
    objects: OBJECTS,
    variant,
  });
  if (source === undefined) throw new Error(`There is no unit "${unit}"`);
  const controls = new StandInControls(folder);
  const device = Device.open({ libraryFolders: [folder] });
  try {
    controls.quiet(true);
    const compiled = await compileKernels(source.text, {
      device: device.properties,
      flags: ["--std=c++17"],
      libraryFolders: [folder],
      onlyThere: true,
    });
    const module = device.load(compiled.image);
    const download = async <T extends ArrayBufferView<ArrayBuffer>>(view: View, into: T): Promise<T> => {
      await device.download(view, into);
      return into;
    };
    await use({
      device,
      controls,
      kernel: (name) => module.kernel(name, source.kernels.get(name)?.signature ?? ""),
      upload: (values) => {
        const view = device.allocate(values.byteLength, "test data");
        device.upload(view, values);
        return view;
      },
      floats: (view) => download(view, new Float32Array(view.bytes / 4)),
      words: (view) => download(view, new Uint32Array(view.bytes / 4)),
    });
  } finally {
    controls.reset();
    device.close();
    controls.close();
  }
}

/** A test that needs a C++ compiler. */
export function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: ignoreWithoutCompiler, fn: run });
}

/** Floats of magnitude up to 1 whose sums depend on their order. */
export function irregular(length: number): Float32Array<ArrayBuffer> {
  let state = 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state / 2 ** 31 - 1) * 2 ** -(state >>> 8 & 15);
  });
}
