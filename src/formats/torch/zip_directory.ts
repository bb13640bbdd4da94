/**
 * Where the entries of a ZIP archive lie, all stored as they are. Of npm's readers, yauzl leaves overlap to its caller and
 * reads through Node's streams: to put it to use takes more than what is left of the format when all that PyTorch never
 * writes is refused.
 *
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3
 */
import type { FileHandle } from "../../files/file_system.ts";
import { readAt } from "../read_at.ts";
import { type Fail, SAVE_AGAIN } from "./torch_error.ts";
import { type DirectoryEntry, entryName, parseDirectory, readUint64 } from "./zip_entries.ts";

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const LOCATOR_SIGNATURE = 0x07064b50;
const LOCATOR_BYTES = 20;
const WIDE_END_SIGNATURE = 0x06064b50;
const WIDE_END_BYTES = 56;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
const STORED = 0;
/** Of the directory: 200,000 tensors. */
const MAX_DIRECTORY_BYTES = 16 * 2 ** 20;

/** Contents of an entry, in bytes from the start of the file. */
export interface ZipEntry {
  /** its first byte */
  readonly begin: number;
  /** the byte after its last */
  readonly end: number;
  /** as the directory states it */
  readonly crc32: number;
}

/** Where a central directory lies. */
interface DirectoryPlace {
  readonly count: number;
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads the directory and every entry's local header.
 *
 * @param bytes size of the file
 * @returns entries by name
 * @throws {UserError} `BAD_TORCH_FILE` if it is cut short, has a comment, or entries that are named twice or overlap;
 * `UNSUPPORTED_TORCH_FILE` if some are compressed or encrypted
 */
export async function readZipDirectory(
  handle: FileHandle,
  bytes: number,
  fail: Fail,
): Promise<ReadonlyMap<string, ZipEntry>> {
  const { count, begin, end } = await findDirectory(handle, bytes, fail);
  if (end - begin > MAX_DIRECTORY_BYTES) {
    fail(`its archive's directory has ${end - begin} bytes, and at most ${MAX_DIRECTORY_BYTES} are read`, SAVE_AGAIN);
  }
  const directory = new Uint8Array(end - begin);
  if (await readAt(handle, begin, directory) < directory.length) fail("it was cut off while it was read");
  const entries = new Map<string, ZipEntry>();
  let covered = 0;
  for (const entry of parseDirectory(directory, count, fail).sort((a, b) => a.offset - b.offset)) {
    if (entry.offset < covered) fail(`its entry "${entry.name}" overlaps with another`);
    const contents = await findContents(handle, entry, begin, fail);
    if (entries.has(entry.name)) fail(`its archive has "${entry.name}" twice`);
    entries.set(entry.name, contents);
    covered = contents.end;
  }
  return entries;
}

/** The directory that the end of the file leads to. Nothing may lie between the two. */
async function findDirectory(handle: FileHandle, bytes: number, fail: Fail): Promise<DirectoryPlace> {
  const tail = new Uint8Array(Math.min(bytes, WIDE_END_BYTES + LOCATOR_BYTES + END_BYTES));
  if (await readAt(handle, bytes - tail.length, tail) < tail.length) fail("it was cut off while it was read");
  const view = new DataView(tail.buffer);
  const at = tail.length - END_BYTES;
  if (at < 0 || view.getUint32(at, true) !== END_SIGNATURE) {
    fail("it does not end as a ZIP archive does");
  }
  if (view.getUint16(at + 4, true) !== 0 || view.getUint16(at + 6, true) !== 0) {
    fail("its archive spans disks", SAVE_AGAIN);
  }
  if (view.getUint16(at + 20, true) !== 0) fail("its archive has a comment");
  const narrow = {
    count: view.getUint16(at + 10, true),
    bytes: view.getUint32(at + 12, true),
    begin: view.getUint32(at + 16, true),
  };
  const isWide = at === WIDE_END_BYTES + LOCATOR_BYTES && view.getUint32(WIDE_END_BYTES, true) === LOCATOR_SIGNATURE;
  const place = isWide ? wideEnd(view, bytes - tail.length, fail) : narrow;
  const end = bytes - (isWide ? tail.length : END_BYTES);
  if (place.begin + place.bytes !== end) {
    fail(`its archive's directory of ${place.bytes} bytes at ${place.begin} does not end at ${end}`);
  }
  const agree = (stated: number, wide: number, none: number) => stated === wide || stated === none;
  if (
    !agree(narrow.count, place.count, 0xffff) || !agree(narrow.bytes, place.bytes, 0xffffffff) ||
    !agree(narrow.begin, place.begin, 0xffffffff)
  ) fail("its archive states two places of its directory");
  return { count: place.count, begin: place.begin, end };
}

/** @param offset of the view's first byte, where the record must begin */
function wideEnd(view: DataView, offset: number, fail: Fail): { count: number; bytes: number; begin: number } {
  if (view.getUint32(0, true) !== WIDE_END_SIGNATURE || readUint64(view, 4, fail) !== WIDE_END_BYTES - 12) {
    fail("its archive has no end record of 64 bits where it must be");
  }
  const stated = readUint64(view, WIDE_END_BYTES + 8, fail);
  if (stated !== offset) fail(`its archive's end record of 64 bits is at ${offset}, and stated to be at ${stated}`);
  return {
    count: readUint64(view, 32, fail),
    bytes: readUint64(view, 40, fail),
    begin: readUint64(view, 48, fail),
  };
}

/** @param limit where the directory begins */
async function findContents(
  handle: FileHandle,
  { name, bytes, crc32, offset }: DirectoryEntry,
  limit: number,
  fail: Fail,
): Promise<ZipEntry> {
  const header = new Uint8Array(LOCAL_BYTES + name.length);
  if (offset + header.length > limit) fail(`its entry "${name}" lies beyond its archive's directory`);
  if (await readAt(handle, offset, header) < header.length) fail("it was cut off while it was read");
  const view = new DataView(header.buffer);
  if (view.getUint32(0, true) !== LOCAL_SIGNATURE) fail(`its entry "${name}" has no header at byte ${offset}`);
  const isSame = view.getUint16(8, true) === STORED && view.getUint16(26, true) === name.length &&
    entryName(header.subarray(LOCAL_BYTES), fail) === name;
  if (!isSame) fail(`its entry "${name}" has the header of another at byte ${offset}`);
  const begin = offset + header.length + view.getUint16(28, true);
  const end = begin + bytes;
  if (end > limit) fail(`its entry "${name}" ends at byte ${end}, and its archive's directory begins at ${limit}`);
  return { begin, end, crc32 };
}
