/** The ordered mode on the CPU stand-in: an engine, its kernels one by one, and orders of threads to try. */
import { compileKernels } from "../../../src/engine/cuda/driver/compile_kernels.ts";
import { Device } from "../../../src/engine/cuda/driver/device.ts";
import type { View } from "../../../src/engine/cuda/driver/view.ts";
import { createOrderedCudaEngine, ORDERED_FLAGS } from "../../../src/engine/cuda/ordered/engine.ts";
import { readKernelUnit } from "../../../src/engine/cuda/kernel_source.ts";
import { OrderedKernels } from "../../../src/engine/cuda/ordered/kernels.ts";
import { buildStandIn } from "./stand_in/build.ts";
import type { Engine } from "../../../src/engine/engine.ts";

/** Kept from one test run to the next: only what changed is compiled again. */
const FOLDER = ".cache/stand_in/ordered";

/** False without g++: the tests that need the stand-in are skipped. */
export const hasCompiler: boolean = await new Deno.Command("g++", { args: ["--version"], stdout: "null" }).output()
  .then(({ success }) => success, () => false);

/** Where the stand-in's libraries are. */
export async function standInFolder(): Promise<string> {
  return (await buildStandIn(FOLDER, { units: ["ordered"] })).folder;
}

/** Runs `use` with the engine on the stand-in. */
export async function withCudaEngine<T>(use: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await createOrderedCudaEngine({ libraryFolders: [await standInFolder()] });
  try {
    return await use(engine);
  } finally {
    engine.close?.();
  }
}

/** A device with the kernels loaded. */
export interface KernelBench {
  readonly device: Device;
  readonly kernels: OrderedKernels;
  /** names of the kernels that were asked for */
  readonly used: ReadonlySet<string>;
  /** Floats on the device. */
  upload(values: Float32Array<ArrayBuffer>, what?: string): View;
  /** A copy of floats on the device. */
  download(view: View): Promise<Float32Array>;
}

/** Runs `use` with single kernels on the stand-in. */
export async function withKernels<T>(use: (bench: KernelBench) => Promise<T>): Promise<T> {
  const libraryFolders = [await standInFolder()];
  const device = Device.open({ libraryFolders });
  try {
    const { text } = await readKernelUnit("ordered");
    const { image } = await compileKernels(text, { device: device.properties, flags: ORDERED_FLAGS, libraryFolders });
    const module = device.load(image);
    const used = new Set<string>();
    const noting = new Proxy(module, {
      get: (target, member) => {
        if (member !== "kernel") return Reflect.get(target, member);
        return (name: string, signature: string) => {
          used.add(name);
          return target.kernel(name, signature);
        };
      },
    });
    return await use({
      device,
      kernels: new OrderedKernels(device, noting),
      used,
      upload: (values, what = "test data") => {
        const view = device.allocate(values.byteLength, what);
        device.upload(view, values);
        return view;
      },
      download: async (view) => {
        const values = new Float32Array(view.bytes / 4);
        await device.download(view, values);
        return values;
      },
    });
  } finally {
    device.close();
  }
}

/** Runs `use` for each seed; 0 is the natural order, each other one an order of blocks and threads of its own. */
export async function forEachOrder(seeds: readonly number[], use: (seed: number) => Promise<void>): Promise<void> {
  const library = Deno.dlopen(`${await standInFolder()}/libcuda.so.1`, {
    stand_in_set_seed: { parameters: ["u64"], result: "void" },
  });
  try {
    for (const seed of seeds) {
      library.symbols.stand_in_set_seed(BigInt(seed));
      await use(seed);
    }
  } finally {
    library.symbols.stand_in_set_seed(0n);
    library.close();
  }
}
