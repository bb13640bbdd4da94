/** The safetensors format held in memory: a header that says where tensors lie, and raw little-endian tensors. */
import { UserError } from "../../errors.ts";
import {
  dtypeBytes,
  LENGTH_BYTES,
  parseSafetensorsHeader,
  readHeaderLength,
  type SafetensorsDtype,
} from "./safetensors_header.ts";

/** One tensor of a file. */
export interface SafetensorsEntry {
  /** element type, by the format's name */
  readonly dtype: SafetensorsDtype;
  /** lengths, outermost first; a scalar has none */
  readonly shape: readonly number[];
  /** little-endian elements, row-major; a view into the file's bytes */
  readonly data: Uint8Array;
}

/** A parsed file. */
export interface Safetensors {
  /** by name, in the order of the header */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  /** `__metadata__` of the header; empty if there is none */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Parses a whole file held in memory; tensors are views, not copies.
 *
 * @param name the file's name, for messages
 * @throws {UserError} `BAD_SAFETENSORS` if the file is cut short or malformed, saying where; `UNSUPPORTED_SAFETENSORS`
 */
export function parseSafetensors(bytes: Uint8Array, name: string): Safetensors {
  const dataStart = LENGTH_BYTES + readHeaderLength(bytes, bytes.length, name);
  const data = bytes.subarray(dataStart);
  const { slots, metadata } = parseSafetensorsHeader(bytes.subarray(LENGTH_BYTES, dataStart), data.length, name);
  const tensors = new Map<string, SafetensorsEntry>();
  for (const [key, { dtype, shape, begin, end }] of slots) {
    tensors.set(key, { dtype, shape, data: data.subarray(begin, end) });
  }
  return { tensors, metadata };
}

/** Whether elements of a type are numbers that {@linkcode toFloat32} takes. */
export function holdsWeights(dtype: SafetensorsDtype): boolean {
  return ["F64", "F32", "F16", "BF16"].includes(dtype);
}

/**
 * Writes elements as f32: f32 as they are, f16 and bf16 widened, f64 rounded.
 *
 * @param bytes little-endian elements, at an offset that suits them
 * @param into receives as many as there are
 */
export function writeFloat32(dtype: SafetensorsDtype, bytes: Uint8Array<ArrayBuffer>, into: Float32Array): void {
  const { buffer, byteOffset, byteLength } = bytes;
  switch (dtype) {
    case "F32":
      return into.set(new Float32Array(buffer, byteOffset, byteLength / 4));
    case "F64":
      return into.set(new Float64Array(buffer, byteOffset, byteLength / 8));
    case "F16":
      return into.set(new Float16Array(buffer, byteOffset, byteLength / 2));
    case "BF16": {
      // The upper half of an f32.
      const words = new Uint32Array(into.buffer, into.byteOffset, byteLength / 2);
      words.set(new Uint16Array(buffer, byteOffset, byteLength / 2));
      for (let i = 0; i < words.length; i++) words[i] = (words[i] ?? 0) << 16;
      return;
    }
    default:
      throw new UserError("BAD_SAFETENSORS", `A tensor of type ${dtype} does not hold weights`);
  }
}

/** Elements of a tensor as f32, as {@linkcode writeFloat32} makes them. */
export function toFloat32({ dtype, data }: Pick<SafetensorsEntry, "dtype" | "data">): Float32Array<ArrayBuffer> {
  const elements = new Float32Array(data.length / dtypeBytes(dtype));
  writeFloat32(dtype, data.slice() as Uint8Array<ArrayBuffer>, elements);
  return elements;
}
