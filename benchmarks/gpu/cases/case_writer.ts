/** Operations with their inputs and outputs as files, for a reference in another program: `python/reference_operations.py`. */
import type { Device } from "../../../src/engine/cuda/driver/device.ts";
import type { View } from "../../../src/engine/cuda/driver/view.ts";
import type { MixedPrecision } from "../../../src/engine/cuda/mixed/precision.ts";
import { normalNoise } from "../task.ts";

/** How an array's elements are written. */
export type ElementType = MixedPrecision | "f32" | "u16" | "u32";

/** An array in a file. */
export interface ArrayFile {
  readonly file: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/** An output with how far it may be from the reference. */
export interface OutputFile extends ArrayFile {
  /** of ‖output − reference‖ / ‖reference‖ */
  readonly bound: number;
}

/** One operation that was computed. */
export interface CaseFile {
  /** names a function of the reference */
  readonly operation: string;
  /** in words, with what computed it */
  readonly title: string;
  readonly shape: string;
  readonly precision: MixedPrecision;
  readonly numbers: Readonly<Record<string, number>>;
  readonly inputs: Readonly<Record<string, ArrayFile>>;
  readonly outputs: Readonly<Record<string, OutputFile>>;
}

const BYTES: Readonly<Record<ElementType, number>> = { bf16: 2, fp16: 2, f32: 4, u16: 2, u32: 4 };

/** 16-bit numbers nearest to values, ties to even. */
export function encodeHalves(values: Float32Array<ArrayBuffer>, precision: MixedPrecision): Uint16Array<ArrayBuffer> {
  if (precision === "fp16") return new Uint16Array(new Float16Array(values).buffer);
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < halves.length; i++) {
    const word = words[i] ?? 0;
    halves[i] = (word + 0x7fff + (word >>> 16 & 1)) >>> 16;
  }
  return halves;
}

/** An array on the device. */
export interface DeviceArray {
  readonly view: View;
  readonly type: ElementType;
  readonly shape: readonly number[];
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Makes arrays on a device, and writes them to files of a folder. */
export class CaseWriter {
  readonly cases: CaseFile[] = [];
  readonly #noise = normalNoise(1048573);
  #at = 0;
  #files = 0;
  #views: View[] = [];

  constructor(readonly device: Device, readonly precision: MixedPrecision, readonly folder: string) {}

  #take(type: ElementType, shape: readonly number[]): DeviceArray {
    const bytes = BYTES[type] * sizeOf(shape);
    const view = this.device.allocate(Math.ceil(bytes / 4) * 4, "an array of a case");
    this.#views.push(view);
    return { view: { ...view, bytes }, type, shape };
  }

  /** Random numbers: normal, times `scale`, plus `shift`; others at each call. */
  random(type: MixedPrecision | "f32", shape: readonly number[], scale = 1, shift = 0): DeviceArray {
    const count = sizeOf(shape), values = new Float32Array(count);
    this.#at += 104729;
    for (let i = 0, at = this.#at % this.#noise.length; i < count; i++) {
      values[i] = (this.#noise[at] ?? NaN) * scale + shift;
      if (++at === this.#noise.length) at = 0;
    }
    return this.put(type === "f32" ? values : encodeHalves(values, type), type, shape);
  }

  /** An array of the given numbers. */
  put(values: ArrayBufferView<ArrayBuffer>, type: ElementType, shape: readonly number[]): DeviceArray {
    const array = this.#take(type, shape);
    this.device.upload(array.view, values);
    return array;
  }

  /** Memory full of NaN: what a kernel leaves out shows. */
  empty(type: MixedPrecision | "f32", shape: readonly number[]): DeviceArray {
    const array = this.#take(type, shape);
    this.device.fill32({ ...array.view, bytes: Math.ceil(array.view.bytes / 4) * 4 }, 0xffffffff);
    return array;
  }

  /** Writes an array as it is now. */
  async write({ view, type, shape }: DeviceArray): Promise<ArrayFile> {
    const file = `${this.#files++}.bin`;
    const bytes = new Uint8Array(view.bytes);
    await this.device.download(view, bytes);
    await Deno.writeFile(`${this.folder}/${file}`, bytes);
    return { file, type, shape };
  }

  /**
   * Writes inputs, computes, writes outputs, and gives the memory back.
   *
   * @param compute launches; outputs may be inputs
   */
  async add(
    description: Pick<CaseFile, "operation" | "title" | "shape" | "numbers">,
    inputs: Readonly<Record<string, DeviceArray>>,
    outputs: Readonly<Record<string, { readonly array: DeviceArray; readonly bound: number }>>,
    compute: () => void,
  ): Promise<void> {
    const writtenInputs: Record<string, ArrayFile> = {};
    for (const [name, array] of Object.entries(inputs)) writtenInputs[name] = await this.write(array);
    compute();
    const writtenOutputs: Record<string, OutputFile> = {};
    for (const [name, { array, bound }] of Object.entries(outputs)) {
      writtenOutputs[name] = { ...await this.write(array), bound };
    }
    this.cases.push({ ...description, precision: this.precision, inputs: writtenInputs, outputs: writtenOutputs });
    for (const view of this.#views.splice(0)) this.device.free(view);
  }
}
