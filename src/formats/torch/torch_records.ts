/** The records of an archive that `torch.save` writes: a pickle, storages, the byte order and the version. */
import { crc32 } from "node:zlib";
import type { FileHandle } from "../../files/file_system.ts";
import { printable } from "../../files/safe_name.ts";
import { readAt } from "../read_at.ts";
import type { TorchTensor } from "./state_dict.ts";
import { type Fail, SAVE_AGAIN } from "./torch_error.ts";
import { readZipDirectory, type ZipEntry } from "./zip_directory.ts";

const MAX_PICKLE_BYTES = 16 * 2 ** 20;
const PICKLE = "data.pkl";
const STORAGE = "data/";
const BYTE_ORDER = "byteorder";
/** What else there is: `version`, and what newer versions hide behind a dot. */
const OTHER = /^(version|\..+)$/;

/** Records by name. */
export type Records = ReadonlyMap<string, ZipEntry>;

/**
 * Finds the records of a file.
 *
 * @param bytes size of the file
 */
export async function readRecords(handle: FileHandle, bytes: number, fail: Fail): Promise<Records> {
  const records = inOneFolder(await readZipDirectory(handle, bytes, fail), fail);
  if (records.size > 0 && [...records.values()].every(({ begin, end, crc32 }) => begin < end && crc32 === 0)) {
    fail("it was written without checksums", "save it again with torch.serialization.set_crc32_options(True)");
  }
  await requireLittleEndian(handle, records.get(BYTE_ORDER), fail);
  return records;
}

/** The pickle that describes the tensors. */
export async function readPickleRecord(handle: FileHandle, records: Records, fail: Fail): Promise<Uint8Array> {
  const pickle = records.get(PICKLE) ?? fail(`its archive has no "${PICKLE}"`);
  return await readWhole(handle, pickle, MAX_PICKLE_BYTES, fail);
}

/** Whether numbers are stored as this reads them; archives of versions that do not say are so. */
async function requireLittleEndian(handle: FileHandle, entry: ZipEntry | undefined, fail: Fail): Promise<void> {
  if (entry === undefined) return;
  const order = new TextDecoder().decode(await readWhole(handle, entry, 8, fail));
  if (order === "big") fail("its byte order is big", SAVE_AGAIN);
  if (order !== "little") fail(`its byte order is "${printable(order)}"`);
}

/** Entries by their names within the one folder that all of them are in. */
function inOneFolder(entries: ReadonlyMap<string, ZipEntry>, fail: Fail): ReadonlyMap<string, ZipEntry> {
  const records = new Map<string, ZipEntry>();
  const folder = [...entries.keys()][0]?.split("/")[0];
  for (const [path, entry] of entries) {
    const name = path.slice(path.indexOf("/") + 1);
    const isKnown = name === PICKLE || name === BYTE_ORDER || /^data\/[^/]+$/.test(name) || OTHER.test(name);
    if (path !== `${folder}/${name}` || !isKnown) fail(`its archive has "${path}", which torch.save does not write`);
    records.set(name, entry);
  }
  return records;
}

/** The bytes of a small entry, which its checksum must be of. */
async function readWhole(handle: FileHandle, { begin, end, crc32: expected }: ZipEntry, maxBytes: number, fail: Fail) {
  if (end - begin > maxBytes) {
    fail(`what describes its tensors has ${end - begin} bytes, and at most ${maxBytes} are read`, SAVE_AGAIN);
  }
  const data = new Uint8Array(end - begin);
  if (await readAt(handle, begin, data) < data.length) fail("it was cut off while it was read");
  if (crc32(data) !== expected) fail("what describes its tensors is damaged, its checksum is another");
  return data;
}

/** The storages of tensors, each of the size that they say. */
export function findStorages(
  slots: ReadonlyMap<string, TorchTensor>,
  records: ReadonlyMap<string, ZipEntry>,
  fail: Fail,
): ReadonlyMap<string, ZipEntry> {
  const storages = new Map<string, ZipEntry>();
  for (const [name, { storage, storageBytes }] of slots) {
    const entry = records.get(STORAGE + storage) ??
      fail(`its archive has no storage "${printable(storage)}" of "${printable(name)}"`);
    const bytes = entry.end - entry.begin;
    if (bytes !== storageBytes) {
      fail(`the storage of "${printable(name)}" has ${bytes} bytes, expected ${storageBytes}`);
    }
    storages.set(storage, entry);
  }
  return storages;
}
