/**
 * A file of `torch.save`, as PyTorch writes it since 1.6: a ZIP archive with a pickle that describes tensors and an entry
 * for the bytes of each. What is held is the pickle and a piece of one tensor; nothing of the file is run.
 *
 * @see https://pytorch.org/docs/stable/notes/serialization.html
 */
import { crc32 } from "node:zlib";
import { DENO_FILES } from "../../files/deno_file_system.ts";
import type { FileHandle, FileSystem } from "../../files/file_system.ts";
import { printable } from "../../files/safe_name.ts";
import { readAt } from "../read_at.ts";
import { writeFloat32 } from "../safetensors.ts";
import { dtypeBytes } from "../safetensors_header.ts";
import { openTensorFile, PIECE_BYTES, readPiece, type TensorFile } from "../tensor_file.ts";
import { readStateDict, type TorchTensor } from "./state_dict.ts";
import { badTorchFile, type Fail } from "./torch_error.ts";
import { readZipDirectory, type ZipEntry } from "./zip_directory.ts";

const MAX_PICKLE_BYTES = 16 * 2 ** 20;
const PICKLE = "data.pkl";
const STORAGE = "data/";
const BYTE_ORDER = "byteorder";
/** What else there is: `version`, and what newer versions hide behind a dot. */
const OTHER = /^(version|\..+)$/;

/** An open file. Tensors may be read in any order, one at a time. Close it. */
export class TorchFile implements TensorFile {
  readonly #fail: Fail;

  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    readonly slots: ReadonlyMap<string, TorchTensor>,
    /** by their keys */
    private readonly storages: ReadonlyMap<string, ZipEntry>,
  ) {
    this.#fail = failOf(path);
  }

  /**
   * Opens a file and reads what describes its tensors.
   *
   * @throws {UserError} `BAD_TORCH_FILE` if it is malformed; `UNSAFE_PICKLE` if its pickle would do anything else than
   * describe tensors; `NOT_A_FILE` and others if it cannot be read
   */
  static async open(path: string, files: FileSystem = DENO_FILES): Promise<TorchFile> {
    return await openTensorFile(path, files, async (handle, bytes) => {
      const fail = failOf(path);
      const records = inOneFolder(await readZipDirectory(handle, bytes, fail), fail);
      const order = records.get(BYTE_ORDER);
      if (order !== undefined && new TextDecoder().decode(await readWhole(handle, order, 8, fail)) !== "little") {
        fail("its byte order is not little");
      }
      const pickle = records.get(PICKLE) ?? fail(`its archive has no "${PICKLE}"`);
      const slots = readStateDict(await readWhole(handle, pickle, MAX_PICKLE_BYTES, fail), path);
      return new TorchFile(path, handle, slots, findStorages(slots, records, fail));
    });
  }

  /**
   * A tensor's elements as f32, in pieces of at most 2^19 elements. A piece is good until the next one is asked for.
   * After the last one, the storage is compared with its checksum.
   *
   * @param name of a tensor that the file has, of a floating-point type
   * @throws {UserError} `BAD_TORCH_FILE` if the file has become shorter, or the storage is damaged, or has elements of
   * another tensor
   */
  async *elements(name: string): AsyncGenerator<Float32Array<ArrayBuffer>, void> {
    const tensor = this.slots.get(name);
    const entry = this.storages.get(tensor?.storage ?? "");
    if (tensor === undefined || entry === undefined) throw new RangeError(`"${this.path}" has no tensor "${name}"`);
    const { dtype, storage } = tensor;
    for (const [other, slot] of this.slots) {
      if (other === name || slot.storage !== storage) continue;
      this.#fail(
        `"${printable(name)}" and "${printable(other)}" share a storage, and tied weights would be taken apart`,
      );
    }
    const width = dtypeBytes(dtype);
    const buffer = new Uint8Array(Math.min(PIECE_BYTES, entry.end - entry.begin));
    const elements = new Float32Array(buffer.length / width);
    const first = entry.begin + tensor.offset;
    let checksum = 0;
    for (let at = entry.begin; at < entry.end; at += buffer.length) {
      const data = buffer.subarray(0, Math.min(buffer.length, entry.end - at));
      await readPiece({ handle: this.handle, path: this.path }, at, data, name, this.#fail);
      checksum = crc32(data, checksum);
      const from = Math.max(first - at, 0);
      const to = Math.min(first + tensor.bytes - at, data.length);
      if (from >= to) continue;
      const piece = elements.subarray(0, (to - from) / width);
      writeFloat32(dtype, data.subarray(from, to), piece);
      yield piece;
    }
    if (checksum !== entry.crc32) this.#fail(`the storage of "${printable(name)}" is damaged, its checksum is another`);
  }

  close(): void {
    this.handle.close();
  }
}

function failOf(path: string): Fail {
  return (problem) => {
    throw badTorchFile(path, problem);
  };
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
  if (end - begin > maxBytes) fail(`it has ${end - begin} bytes where at most ${maxBytes} are read`);
  const data = new Uint8Array(end - begin);
  if (await readAt(handle, begin, data) < data.length) fail("it was cut off while it was read");
  if (crc32(data) !== expected) fail("what describes its tensors is damaged, its checksum is another");
  return data;
}

/** The storages of tensors, each of the size that they say. */
function findStorages(
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
