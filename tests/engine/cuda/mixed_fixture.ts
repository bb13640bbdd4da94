/** What the tests of the mixed mode share: kernels on the CPU stand-in, 16-bit numbers, random data, errors. */
import assert from "node:assert/strict";
import { philox } from "../../../src/arithmetic/philox.ts";
import { compileKernels } from "../../../src/engine/cuda/driver/compile_kernels.ts";
import { Device } from "../../../src/engine/cuda/driver/device.ts";
import { slice, type View } from "../../../src/engine/cuda/driver/view.ts";
import { type KernelChoice, readKernelUnit } from "../../../src/engine/cuda/kernel_source.ts";
import { loadMixedKernels, type MixedKernels } from "../../../src/engine/cuda/mixed/kernels.ts";
import type { MixedPrecision } from "../../../src/engine/cuda/mixed/precision.ts";
import { MIXED_FLAGS } from "../../../src/engine/cuda/mixed/specialization.ts";
import { buildStandIn } from "./stand_in/build.ts";
import { StandInControls } from "./stand_in/controls.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { OBJECTS } from "./stand_in_fixture.ts";

export { ignoreWithoutCompiler } from "./stand_in_fixture.ts";

/** Seeds for the order of threads and blocks; 0 is the plain order. */
export const ORDER_SEEDS = [0, 1, 2, 3, 4, 5, 6, 7, 8];

/** Kept from one test run to the next: only what changed is compiled again. */
const FOLDER = ".cache/stand_in/mixed";

/** Heads that the tests compile for: size and rotated pairs. */
const HEADS = [[8, 1], [16, 2], [32, 4], [64, 8], [128, 16]] as const;
type HeadSize = (typeof HEADS)[number][0];

function choice(precision: MixedPrecision, headSize: HeadSize): KernelChoice {
  const half = HEADS.find(([size]) => size === headSize)?.[1] ?? 0;
  const MIXED_BF16 = precision === "bf16" ? 1 : 0;
  return { name: "mixed", definitions: { MIXED_BF16, HEAD_SIZE: headSize, ROTARY_HALF: half } };
}

let built: Promise<string> | undefined;

/** Builds the stand-in once: every kernel for both formats, and for each head in one of them. */
export function standInFolder(): Promise<string> {
  built ??= (async () => {
    const units = [choice("fp16", 16), choice("fp16", 64), ...HEADS.map(([size]) => choice("bf16", size))];
    const { folder } = await buildStandIn(FOLDER, { units, objects: OBJECTS });
    return folder;
  })();
  return built;
}

/** Kernels of one specialization on a device, with what tests do there. */
export class Bench {
  constructor(
    readonly device: Device,
    readonly kernels: MixedKernels,
    readonly precision: MixedPrecision,
    readonly controls: StandInControls,
  ) {}

  /** An f32 array on the device. */
  floats(values: Float32Array<ArrayBuffer>, what = "floats"): View {
    const view = this.device.allocate(Math.max(values.byteLength, 4), what);
    this.device.upload(slice(view, 0, values.byteLength), values);
    return slice(view, 0, values.byteLength);
  }

  /** 32-bit integers on the device. */
  words(values: ArrayLike<number>, what = "words"): View {
    const view = this.device.allocate(Math.max(4 * values.length, 4), what);
    this.device.upload(view, Uint32Array.from(values));
    return view;
  }

  /** Values rounded to 16 bits on the device. */
  halves(values: ArrayLike<number>, what = "halves"): View {
    const view = this.device.allocate(2 * values.length, what);
    this.device.upload(view, encode(values, this.precision));
    return view;
  }

  /** Memory full of NaN, so that what a kernel leaves out shows. */
  empty(bytes: number, what = "result"): View {
    const view = this.device.allocate(Math.ceil(bytes / 4) * 4, what);
    this.device.fill32(view, 0xffffffff);
    return slice(view, 0, bytes);
  }

  async readFloats(view: View): Promise<Float32Array> {
    const values = new Float32Array(view.bytes / 4);
    await this.device.download(view, values);
    return values;
  }

  async readHalves(view: View): Promise<Float32Array> {
    const bits = new Uint16Array(view.bytes / 2);
    await this.device.download(view, bits);
    return Float32Array.from(bits, (half) => decode(half, this.precision));
  }
}

/** Opens the stand-in with one specialization of the kernels. */
export async function withBench<T>(
  { precision = "bf16", headSize = 16, seed = 0 }: { precision?: MixedPrecision; headSize?: HeadSize; seed?: number },
  use: (bench: Bench) => Promise<T>,
): Promise<T> {
  const folder = await standInFolder();
  const controls = new StandInControls(folder);
  controls.seed(seed);
  const device = Device.open({ libraryFolders: [folder], onlyThere: true });
  try {
    const unit = await readKernelUnit(choice(precision, headSize));
    const { image } = await compileKernels(unit.text, {
      device: device.properties,
      flags: MIXED_FLAGS,
      libraryFolders: [folder],
      onlyThere: true,
    });
    return await use(new Bench(device, loadMixedKernels(device.load(image)), precision, controls));
  } finally {
    controls.reset();
    device.close();
    controls.close();
  }
}

const word = new DataView(new ArrayBuffer(4));

/** The nearest 16-bit number, ties to even: IEEE binary16, or bfloat16. */
export function encodeOne(value: number, precision: MixedPrecision): number {
  if (precision === "fp16") return new Uint16Array(Float16Array.of(Math.fround(value)).buffer)[0] ?? 0;
  word.setFloat32(0, value);
  const bits = word.getUint32(0);
  if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fff;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

export function encode(values: ArrayLike<number>, precision: MixedPrecision): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(values, (value) => encodeOne(value, precision));
}

export function decode(bits: number, precision: MixedPrecision): number {
  if (precision === "fp16") return new Float16Array(Uint16Array.of(bits).buffer)[0] ?? NaN;
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}

/** The value that 16 bits keep. */
export function rounded(values: ArrayLike<number>, precision: MixedPrecision): Float32Array<ArrayBuffer> {
  return Float32Array.from(values, (value) => decode(encodeOne(value, precision), precision));
}

/** Half the distance from 1 to the next number: the relative error of one rounding. */
export function unitRoundoff(precision: MixedPrecision): number {
  return precision === "fp16" ? 2 ** -11 : 2 ** -8;
}

/** Random numbers, uniform in ±scale: always the same for a seed. */
export function random(count: number, seed: number, scale = 1): Float32Array<ArrayBuffer> {
  const words = new Uint32Array(4);
  return Float32Array.from({ length: count }, (_, i) => {
    philox([seed, 2], [i, 0, 0, 0], words);
    return (((words[0] ?? 0) + 0.5) / 2 ** 31 - 1) * scale;
  });
}

/** ‖actual − expected‖ / ‖expected‖; NaN anywhere gives NaN. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  assert.equal(actual.length, expected.length);
  let difference = 0, norm = 0;
  for (let i = 0; i < expected.length; i++) {
    const value = expected[i] ?? NaN;
    difference += ((actual[i] ?? NaN) - value) ** 2;
    norm += value ** 2;
  }
  return Math.sqrt(difference / norm);
}

/** Fails unless the relative error is below the bound; NaN never passes. */
export function assertClose(what: string, actual: ArrayLike<number>, expected: ArrayLike<number>, bound: number): void {
  const error = relativeError(actual, expected);
  assert(error < bound, `${what}: relative error ${error}, bound ${bound}`);
}

/** SHA-256 over the bits of arrays. */
export function digestOf(...arrays: readonly Float32Array[]): string {
  return sha256(arrays.map((array) => sha256(new Uint8Array(array.slice().buffer).toHex())).join());
}
