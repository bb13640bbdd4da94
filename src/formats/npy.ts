/**
 * Arrays in numpy's `.npy` files, format 1.0, byte for byte as `numpy.save` writes them.
 *
 * @see numpy `lib/_format_impl.py`; NEP 1
 */
import { UserError } from "../errors.ts";
import { fileError } from "../files/file_error.ts";
import { openRegularSync } from "../files/open_regular.ts";
import { ByteWriter } from "./megatron/byte_writer.ts";
import { readAt } from "./megatron/read_at.ts";

/** "\x93NUMPY", then version 1.0 */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0];
const PREFIX_BYTES = MAGIC.length + 2;
/** The data begin at a multiple of it. */
const ALIGNMENT = 64;
/** Digits for which numpy leaves room, so that an array can grow in place. */
const LENGTH_DIGITS = 21;

/** An array as GPT-NeoX caches them: int32 or uint32, of one or two axes. */
export interface NpyArray {
  /** length of each axis */
  readonly shape: readonly [number] | readonly [number, number];
  /** row by row */
  readonly values: Int32Array | Uint32Array;
}

function headerOf({ shape, values }: NpyArray): Uint8Array {
  const type = values instanceof Int32Array ? "<i4" : "<u4";
  const axes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const growth = " ".repeat(Math.max(0, LENGTH_DIGITS - `${shape[0]}`.length));
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${axes}), }${growth}`;
  const bytes = Math.ceil((PREFIX_BYTES + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const header = new Uint8Array(bytes);
  header.set(MAGIC);
  new DataView(header.buffer).setUint16(MAGIC.length, bytes - PREFIX_BYTES, true);
  header.set(new TextEncoder().encode(`${text.padEnd(bytes - PREFIX_BYTES - 1)}\n`), PREFIX_BYTES);
  return header;
}

/**
 * Writes an array to a file, which must not exist yet; the disk has it on return.
 *
 * @throws {UserError} if it exists or cannot be written
 */
export function writeNpy(path: string, array: NpyArray): void {
  const { buffer, byteOffset, byteLength } = array.values;
  try {
    const writer = new ByteWriter(path);
    try {
      writer.write(headerOf(array));
      writer.write(new Uint8Array(buffer, byteOffset, byteLength));
      writer.finish(true);
    } finally {
      writer.close();
    }
  } catch (error) {
    throw fileError(error, "write", path);
  }
}

/**
 * Reads an array that {@linkcode writeNpy} or `numpy.save` wrote.
 *
 * @throws {UserError} `INVALID_NPY` for what is no such file, of another type, or cut off; if it is missing or cannot be
 * read
 */
export function readNpy(path: string): NpyArray {
  try {
    const file = openRegularSync(path, "read");
    try {
      return readOpen(file, path);
    } finally {
      file.close();
    }
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

function readOpen(file: Deno.FsFile, path: string): NpyArray {
  const prefix = new Uint8Array(PREFIX_BYTES);
  if (!readAt(file, 0, prefix) || MAGIC.some((byte, i) => prefix[i] !== byte)) {
    throw invalid(path, "does not begin as numpy's format 1.0 does");
  }
  const header = new Uint8Array(new DataView(prefix.buffer).getUint16(MAGIC.length, true));
  if (!readAt(file, PREFIX_BYTES, header)) throw invalid(path, "ends in its header");
  const text = new TextDecoder().decode(header);
  const [, type, first, second] =
    /^\{'descr': '<([iu])4', 'fortran_order': False, 'shape': \((\d+),(?: (\d+))?\), \} *\n$/.exec(text) ?? [];
  if (first === undefined) throw invalid(path, `holds ${text.trim()}, expected int32 or uint32 of one or two axes`);
  const shape = second === undefined ? [Number(first)] as const : [Number(first), Number(second)] as const;
  const count = shape[0] * (shape[1] ?? 1);
  const dataBytes = file.statSync().size - PREFIX_BYTES - header.length;
  if (dataBytes !== 4 * count) throw invalid(path, `has ${dataBytes} bytes of values, expected ${4 * count}`);
  const values = type === "i" ? new Int32Array(count) : new Uint32Array(count);
  if (!readAt(file, PREFIX_BYTES + header.length, new Uint8Array(values.buffer))) {
    throw invalid(path, "became shorter while it was read");
  }
  return { shape, values };
}

function invalid(path: string, problem: string): UserError {
  return new UserError("INVALID_NPY", `"${path}" ${problem}`, "give the index files of a GPT-NeoX run as it left them");
}
