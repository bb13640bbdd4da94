/**
 * One entry of a ZIP archive's central directory, and the sizes of 64 bits that may stand beside it.
 *
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.12 and 4.5.3
 */
import { printable } from "../../files/safe_name.ts";
import { type Fail, SAVE_AGAIN } from "./torch_error.ts";

/** The remedy for archives that another program has packed again. */
const STORE = "unpack it, and pack its folder again without compression or encryption: zip -0 -r";

const ENTRY_SIGNATURE = 0x02014b50;
const ENTRY_BYTES = 46;
/** Sizes follow the data; names are UTF-8. Nothing else may be set: encryption is bit 0. */
const ALLOWED_FLAGS = 0x0808;
/** What TorchScript packs beside tensors: a program, whose texts it compresses. */
const PROGRAM = /^[^/]*\/(constants\.pkl|attributes\.pkl|(code|constants|extra)\/.+)$/;
const STORED = 0;
const IN_EXTRA = 0xffffffff;
const ZIP64_EXTRA = 1;

/** An entry as the central directory has it. */
export interface DirectoryEntry {
  /** path within the archive */
  readonly name: string;
  /** of its contents */
  readonly bytes: number;
  /** of its contents */
  readonly crc32: number;
  /** of its local header, from the start of the file */
  readonly offset: number;
}

/** Eight bytes, little-endian, that a double holds exactly. */
export function readUint64(view: DataView, at: number, fail: Fail): number {
  const value = Number(view.getBigUint64(at, true));
  return Number.isSafeInteger(value) ? value : fail("its archive has a size beyond 2^53");
}

/** Text of an archive: PyTorch's names are ASCII, whether they are marked as UTF-8 or not. */
export function entryName(bytes: Uint8Array, fail: Fail): string {
  const name = String.fromCharCode(...bytes.subarray(0, 1024));
  return bytes.length <= 1024 && /^[\x20-\x7e]+$/.test(name)
    ? name
    : fail(`its archive has the name "${printable(name)}"`);
}

/**
 * All entries of a central directory.
 *
 * @param count how many there must be
 * @throws {UserError} `BAD_TORCH_FILE` if there are more or fewer, or one is compressed, encrypted or malformed
 */
export function parseDirectory(directory: Uint8Array<ArrayBuffer>, count: number, fail: Fail): DirectoryEntry[] {
  const entries: DirectoryEntry[] = [];
  for (let at = 0; at < directory.length;) {
    const view = new DataView(directory.buffer, directory.byteOffset + at, directory.length - at);
    if (view.byteLength < ENTRY_BYTES || view.getUint32(0, true) !== ENTRY_SIGNATURE) {
      fail(`its archive's directory has no entry at byte ${at}`);
    }
    const nameBytes = view.getUint16(28, true);
    const extraBytes = view.getUint16(30, true);
    const size = ENTRY_BYTES + nameBytes + extraBytes + view.getUint16(32, true);
    if (size > view.byteLength) fail(`its archive's directory is cut off in the entry at byte ${at}`);
    const name = entryName(directory.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes), fail);
    if (PROGRAM.test(name)) fail(`it is a program of TorchScript, with "${printable(name)}"`, SAVE_AGAIN);
    const extra = new DataView(view.buffer, view.byteOffset + ENTRY_BYTES + nameBytes, extraBytes);
    entries.push(
      parseEntry(view, extra, name, (problem, remedy) => fail(`its entry "${printable(name)}" ${problem}`, remedy)),
    );
    at += size;
  }
  if (entries.length !== count) fail(`its archive's directory has ${entries.length} entries and claims ${count}`);
  return entries;
}

function parseEntry(view: DataView, extra: DataView, name: string, fail: Fail): DirectoryEntry {
  const flags = view.getUint16(8, true);
  if ((flags & ~ALLOWED_FLAGS) !== 0) fail(`is encrypted or has other flags, 0x${flags.toString(16)}`, STORE);
  const method = view.getUint16(10, true);
  if (method !== STORED) fail(`is compressed by method ${method}`, STORE);
  if (view.getUint16(34, true) !== 0) fail("is on another disk");
  const stored = [24, 20, 42].map((at) => view.getUint32(at, true));
  const wide = readZip64(extra, stored.filter((value) => value === IN_EXTRA).length, fail);
  const [bytes = 0, compressedBytes, offset = 0] = stored.map((value) =>
    value === IN_EXTRA ? wide.shift() ?? fail("lacks a size of 64 bits") : value
  );
  if (compressedBytes !== bytes) fail(`has ${bytes} bytes and takes ${compressedBytes}`);
  return { name, bytes, crc32: view.getUint32(16, true), offset };
}

/** The first `count` sizes of an entry's extra field of ZIP64. */
function readZip64(extra: DataView, count: number, fail: Fail): number[] {
  if (count === 0) return [];
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const size = extra.getUint16(at + 2, true);
    if (at + 4 + size > extra.byteLength) break;
    if (extra.getUint16(at, true) === ZIP64_EXTRA && size >= 8 * count) {
      return Array.from({ length: count }, (_, i) => readUint64(extra, at + 4 + 8 * i, fail));
    }
    at += 4 + size;
  }
  return fail("lacks a size of 64 bits");
}
