/**
 * The head of a safetensors file: u64 header length, JSON header. Read strictly, since a file may come from anyone:
 * sizes are bounded before allocation, and the tensors must cover the data without gap or overlap.
 *
 * @see https://github.com/huggingface/safetensors, "Format"
 */
import { parseStrictJson } from "../../text/strict_json.ts";
import { UserError } from "../../errors.ts";
import { printable } from "../../files/safe_name.ts";

/** Element types that rewarm knows, by the format's names. Only floating-point types hold weights. */
export type SafetensorsDtype =
  | "F64"
  | "F32"
  | "F16"
  | "BF16"
  | "I64"
  | "U64"
  | "I32"
  | "U32"
  | "I16"
  | "U16"
  | "I8"
  | "U8"
  | "BOOL";

const DTYPE_BYTES: Readonly<Record<SafetensorsDtype, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  U64: 8,
  I32: 4,
  U32: 4,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/** Bytes of the header's length. */
export const LENGTH_BYTES = 8;
const OPENING_BRACE = 0x7b;
const MAX_HEADER_BYTES = 100 * 2 ** 20;
/** How the format names types: those of later versions, too, such as F8_E4M3 and C64. */
const TYPE_NAME = /^[A-Z][A-Z0-9_]{0,15}$/;
/** Lengths in a shape; PyTorch has no more. */
const MAX_DIMENSIONS = 64;

/** Where a tensor lies in a file, and what it is. */
export interface SafetensorsSlot {
  /** element type, by the format's name */
  readonly dtype: SafetensorsDtype;
  /** lengths, outermost first; a scalar has none */
  readonly shape: readonly number[];
  /** first byte, counted from the end of the header */
  readonly begin: number;
  /** the byte after its last */
  readonly end: number;
}

/** A header that was read. */
export interface SafetensorsHeader {
  /** by name, in the order of the header */
  readonly slots: ReadonlyMap<string, SafetensorsSlot>;
  /** its `__metadata__`; empty if there is none */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes of an element. */
export function dtypeBytes(dtype: SafetensorsDtype): number {
  return DTYPE_BYTES[dtype];
}

/**
 * Throws the error of one file.
 *
 * @param remedy what to do about a file that is whole and not supported; the file is damaged if none is given
 */
export type SafetensorsFail = (problem: string, remedy?: string) => never;

/** What is thrown for a file that is cut short or malformed. */
export function badSafetensors(name: string, problem: string): UserError {
  return new UserError(
    "BAD_SAFETENSORS",
    `"${printable(name)}" is not a whole safetensors file: ${problem}`,
    "fetch the file again",
  );
}

/** The errors of a file. */
export function safetensorsFail(name: string): SafetensorsFail {
  return (problem, remedy) => {
    if (remedy === undefined) throw badSafetensors(name, problem);
    throw new UserError("UNSUPPORTED_SAFETENSORS", `"${printable(name)}" is not supported: ${problem}`, remedy);
  };
}

function isCountArray(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= MAX_DIMENSIONS &&
    value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function isDtype(value: unknown): value is SafetensorsDtype {
  return typeof value === "string" && Object.hasOwn(DTYPE_BYTES, value);
}

/**
 * Bytes of the JSON header.
 *
 * @param start the first bytes of the file, eight if it has so many
 * @param fileBytes size of the whole file
 * @throws {UserError} `BAD_SAFETENSORS` if the file cannot hold it
 */
export function readHeaderLength(start: Uint8Array, fileBytes: number, name: string): number {
  if (start.length < LENGTH_BYTES) {
    throw badSafetensors(name, `expected ${LENGTH_BYTES} bytes of header length, found ${start.length} bytes in all`);
  }
  const length = Number(new DataView(start.buffer, start.byteOffset, start.byteLength).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES || LENGTH_BYTES + length > fileBytes) {
    throw badSafetensors(name, `the header claims ${length} bytes, the file has ${fileBytes}`);
  }
  return length;
}

/**
 * Reads the JSON header.
 *
 * @param header its bytes
 * @param dataBytes bytes that follow it in the file
 * @throws {UserError} `BAD_SAFETENSORS`, saying where; `UNSUPPORTED_SAFETENSORS` for types of other versions of the format
 */
export function parseSafetensorsHeader(header: Uint8Array, dataBytes: number, name: string): SafetensorsHeader {
  const fail = safetensorsFail(name);
  const slots = new Map<string, SafetensorsSlot>();
  const metadata: [field: string, text: string][] = [];
  for (const [key, value] of Object.entries(parseHeaderObject(header, fail))) {
    if (key !== "__metadata__") {
      slots.set(key, parseSlot(key, value, dataBytes, fail));
      continue;
    }
    // The format's own library takes null for none.
    if (typeof value !== "object" || Array.isArray(value)) fail("its metadata is not an object");
    for (const [field, text] of Object.entries(value ?? {})) {
      if (typeof text !== "string") return fail(`its metadata field "${printable(field)}" is not a string`);
      metadata.push([field, text]);
    }
  }
  let covered = 0;
  for (const { begin, end } of [...slots.values()].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) fail(`its tensors leave a gap or overlap at byte ${covered}`);
    covered = end;
  }
  if (covered !== dataBytes) fail(`${dataBytes - covered} bytes follow the last tensor`);
  // fromEntries defines members, so that a field "__proto__" is a field like any other.
  return { slots, metadata: Object.fromEntries(metadata) };
}

function parseHeaderObject(bytes: Uint8Array, fail: SafetensorsFail): Record<string, unknown> {
  let header: unknown;
  try {
    header = parseStrictJson(bytes);
  } catch (error) {
    fail(`its header is not strict JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) fail("its header is not an object");
  if (bytes[0] !== OPENING_BRACE) fail("its header does not begin with {");
  return header as Record<string, unknown>;
}

function parseSlot(
  key: string,
  value: unknown,
  dataBytes: number,
  fail: SafetensorsFail,
): SafetensorsSlot {
  const tensor = `tensor "${printable(key)}"`;
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  if (typeof dtype === "string" && !isDtype(dtype) && TYPE_NAME.test(dtype)) {
    return fail(`${tensor} has the type ${dtype}`, 'save it as F16, BF16, F32 or F64, as ".float()" does in PyTorch');
  }
  if (!isDtype(dtype)) {
    return fail(`${tensor} has the type ${typeof dtype === "string" ? printable(dtype) : typeof dtype}`);
  }
  if (!isCountArray(shape)) return fail(`${tensor} has no valid shape`);
  if (!isCountArray(offsets) || offsets.length !== 2) return fail(`${tensor} has no valid offsets`);
  if (Object.keys(value as object).length > 3) {
    fail(`${tensor} has members that the format does not know`, "save it again with the safetensors library");
  }
  const [begin, end] = offsets as [number, number];
  const expected = shape.reduce((product, length) => product * length, dtypeBytes(dtype));
  if (end - begin !== expected) {
    fail(`${tensor} of shape [${printable(shape.join())}] takes ${expected} bytes, its offsets give ${end - begin}`);
  }
  if (end > dataBytes) fail(`${tensor} ends at byte ${end} of ${dataBytes}`);
  return { dtype, shape, begin, end };
}

/** Name and shape of a tensor to be written, as f32. */
export interface SafetensorsInput {
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * The bytes before the tensors of a file: header length and header, padded so that the data start at a multiple of 8.
 * The tensors' bytes, f32, follow in the order given. The same input gives the same bytes.
 *
 * @param metadata string to string, written with sorted keys; an undefined one is left out
 */
export function safetensorsHeader(
  tensors: readonly SafetensorsInput[],
  metadata: Readonly<Record<string, string | undefined>> = {},
): Uint8Array<ArrayBuffer> {
  const sorted = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  const header: [name: string, value: unknown][] = [["__metadata__", Object.fromEntries(sorted)]];
  let offset = 0;
  for (const { name, shape } of tensors) {
    const end = shape.reduce((product, length) => product * length, dtypeBytes("F32")) + offset;
    header.push([name, { dtype: "F32", shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const encoder = new TextEncoder();
  const text = JSON.stringify(Object.fromEntries(header));
  const encoded = encoder.encode(text + " ".repeat((8 - (encoder.encode(text).length % 8)) % 8));
  const bytes = new Uint8Array(LENGTH_BYTES + encoded.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(encoded.length), true);
  bytes.set(encoded, LENGTH_BYTES);
  return bytes;
}
