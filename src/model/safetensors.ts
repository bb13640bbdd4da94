/**
 * The safetensors format: u64 header length, JSON header, raw little-endian tensors. Read strictly, since a checkpoint
 * may come from anyone: sizes are bounded before allocation, offsets must cover the data without gap or overlap.
 *
 * @see https://github.com/huggingface/safetensors, "Format"
 */
import { parseStrictJson } from "../digest/strict_json.ts";
import { UserError } from "../errors.ts";
import { printable } from "../files/safe_name.ts";

/** Element types that rewarm reads. */
export type SafetensorsDtype = "F64" | "F32" | "F16" | "BF16" | "I64" | "I32" | "U16" | "U8";

const DTYPE_BYTES: Readonly<Record<SafetensorsDtype, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  U16: 2,
  U8: 1,
};

const OPENING_BRACE = 0x7b;
const MAX_HEADER_BYTES = 100 * 2 ** 20;
/** Lengths in a shape; PyTorch has no more. */
const MAX_DIMENSIONS = 64;

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

function isCountArray(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= MAX_DIMENSIONS &&
    value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/**
 * Parses a whole file held in memory; tensors are views, not copies.
 *
 * @param name the file's name, for messages
 * @throws {UserError} `BAD_SAFETENSORS` if the file is cut short or malformed, saying where
 */
export function parseSafetensors(bytes: Uint8Array, name: string): Safetensors {
  const fail = (problem: string): never => {
    throw new UserError("BAD_SAFETENSORS", `"${printable(name)}" is not a whole safetensors file: ${problem}`);
  };
  if (bytes.length < 8) fail(`expected 8 bytes of header length, found ${bytes.length} bytes in all`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = Number(view.getBigUint64(0, true));
  if (headerLength > MAX_HEADER_BYTES || 8 + headerLength > bytes.length) {
    fail(`the header claims ${headerLength} bytes, the file has ${bytes.length}`);
  }
  let header: unknown;
  try {
    header = parseStrictJson(bytes.subarray(8, 8 + headerLength));
  } catch (error) {
    fail(`its header is not strict JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) fail("its header is not an object");
  if (bytes[8] !== OPENING_BRACE) fail("its header does not begin with {");

  const data = bytes.subarray(8 + headerLength);
  const tensors = new Map<string, SafetensorsEntry>();
  const metadata: [field: string, text: string][] = [];
  const ranges: [number, number][] = [];
  for (const [key, value] of Object.entries(header as Record<string, unknown>)) {
    if (key === "__metadata__") {
      if (typeof value !== "object" || value === null || Array.isArray(value)) fail("its metadata is not an object");
      for (const [field, text] of Object.entries(value as object)) {
        if (typeof text !== "string") return fail(`its metadata field "${printable(field)}" is not a string`);
        metadata.push([field, text]);
      }
      continue;
    }
    const tensor = `tensor "${printable(key)}"`;
    const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
    if (typeof dtype !== "string" || !Object.hasOwn(DTYPE_BYTES, dtype)) {
      return fail(`${tensor} has the type ${typeof dtype === "string" ? printable(dtype) : typeof dtype}`);
    }
    if (!isCountArray(shape)) return fail(`${tensor} has no valid shape`);
    if (!isCountArray(offsets) || offsets.length !== 2) return fail(`${tensor} has no valid offsets`);
    if (Object.keys(value as object).length > 3) fail(`${tensor} has members that the format does not know`);
    const [begin, end] = offsets as [number, number];
    const expected = shape.reduce((product, length) => product * length, DTYPE_BYTES[dtype as SafetensorsDtype]);
    if (end - begin !== expected) {
      fail(`${tensor} of shape [${printable(shape.join())}] takes ${expected} bytes, its offsets give ${end - begin}`);
    }
    if (end > data.length) fail(`${tensor} ends at byte ${end} of ${data.length}`);
    ranges.push([begin, end]);
    tensors.set(key, { dtype: dtype as SafetensorsDtype, shape, data: data.subarray(begin, end) });
  }
  let covered = 0;
  for (const [begin, end] of ranges.sort(([a, aEnd], [b, bEnd]) => a - b || aEnd - bEnd)) {
    if (begin !== covered) fail(`its tensors leave a gap or overlap at byte ${covered}`);
    covered = end;
  }
  if (covered !== data.length) fail(`${data.length - covered} bytes follow the last tensor`);
  // fromEntries defines members, so that a field "__proto__" is a field like any other.
  return { tensors, metadata: Object.fromEntries(metadata) };
}

/** A tensor to be written. */
export interface SafetensorsInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * The bytes before the tensors of a file: header length and header, padded so that the data start at a multiple of 8.
 * The tensors' bytes follow in the order given. The same input gives the same bytes.
 *
 * @param metadata string to string, written with sorted keys
 */
export function safetensorsHeader(
  tensors: readonly SafetensorsInput[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = {
    __metadata__: Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  let offset = 0;
  for (const { name, shape, data } of tensors) {
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const encoder = new TextEncoder();
  const text = JSON.stringify(header);
  const encoded = encoder.encode(text + " ".repeat((8 - (encoder.encode(text).length % 8)) % 8));
  const bytes = new Uint8Array(8 + encoded.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(encoded.length), true);
  bytes.set(encoded, 8);
  return bytes;
}

/** Elements of a tensor as f32: f32 as they are, f16 and bf16 widened, f64 rounded. */
export function toFloat32({ dtype, data }: SafetensorsEntry): Float32Array {
  const copy = data.slice().buffer;
  switch (dtype) {
    case "F32":
      return new Float32Array(copy);
    case "F64":
      return Float32Array.from(new Float64Array(copy));
    case "F16":
      return Float32Array.from(new Float16Array(copy));
    case "BF16":
      return new Float32Array(Uint32Array.from(new Uint16Array(copy), (bits) => bits << 16).buffer);
    default:
      throw new UserError("BAD_SAFETENSORS", `A tensor of type ${dtype} does not hold weights`);
  }
}
