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
import { rowMajor } from "./strided.ts";
import { type Fail, failOf, SAVE_AGAIN } from "./torch_error.ts";
import { requireArchive } from "./torch_formats.ts";
import { readZipDirectory, type ZipEntry } from "./zip_directory.ts";

const MAX_PICKLE_BYTES = 16 * 2 ** 20;
const PICKLE = "data.pkl";
const STORAGE = "data/";
const BYTE_ORDER = "byteorder";
/** What else there is: `version`, and what newer versions hide behind a dot. */
const OTHER = /^(version|\..+)$/;
/** Of a tensor whose elements do not lie in order, what it spans is held at once. */
const MAX_SPAN_BYTES = 2 ** 30;
/** Tensors may share elements and repeat them. So that a small file is no large model, they have at most twice its size. */
const MAX_REPEATS = 2;
const REPEATS_ALLOWED_BYTES = 64 * 2 ** 20;

/** Bytes from the start of the file. */
type Range = Pick<ZipEntry, "begin" | "end">;

/** An open file. Tensors may be read in any order, one at a time. Close it. */
export class TorchFile implements TensorFile {
  readonly #fail: Fail;
  /** storages that have their checksum */
  readonly #checked = new Set<string>();
  /** number of tensors by storage */
  readonly #users = new Map<string, number>();

  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    readonly slots: ReadonlyMap<string, TorchTensor>,
    /** by their keys */
    private readonly storages: ReadonlyMap<string, ZipEntry>,
  ) {
    this.#fail = failOf(path);
    for (const { storage } of slots.values()) this.#users.set(storage, (this.#users.get(storage) ?? 0) + 1);
  }

  /**
   * Opens a file and reads what describes its tensors.
   *
   * @throws {UserError} `BAD_TORCH_FILE` if it is malformed; `UNSUPPORTED_TORCH_FILE` if it is whole and written in
   * another way; `UNSAFE_PICKLE` if its pickle would do anything else than describe tensors; `NOT_A_FILE` and others if
   * it cannot be read
   */
  static async open(path: string, files: FileSystem = DENO_FILES): Promise<TorchFile> {
    return await openTensorFile(path, files, async (handle, bytes) => {
      const fail = failOf(path);
      await requireArchive(handle, fail);
      const records = inOneFolder(await readZipDirectory(handle, bytes, fail), fail);
      if (bytes > 0 && [...records.values()].every(({ begin, end, crc32 }) => begin < end && crc32 === 0)) {
        fail("it was written without checksums", "save it again with torch.serialization.set_crc32_options(True)");
      }
      await requireLittleEndian(handle, records.get(BYTE_ORDER), fail);
      const pickle = records.get(PICKLE) ?? fail(`its archive has no "${PICKLE}"`);
      const slots = readStateDict(await readWhole(handle, pickle, MAX_PICKLE_BYTES, fail), path);
      requireRealSize(slots, bytes, fail);
      return new TorchFile(path, handle, slots, findStorages(slots, records, fail));
    });
  }

  /**
   * A tensor's elements as f32, in pieces of at most 2^19 elements. A piece is good until the next one is asked for.
   *
   * The whole storage is compared with its checksum: as it is read if it has one tensor in order, after whose last piece
   * it is known; before the first piece if it has several, once for all of them, or one that is not in order.
   *
   * Tensors that share elements are read as what each of them has, as PyTorch loads them; whether a model ties them is
   * for its configuration to say.
   *
   * @param name of a tensor that the file has, of a floating-point type
   * @throws {UserError} `BAD_TORCH_FILE` if the file has become shorter, or the storage is damaged
   */
  async *elements(name: string): AsyncGenerator<Float32Array<ArrayBuffer>, void> {
    const tensor = this.slots.get(name);
    const entry = this.storages.get(tensor?.storage ?? "");
    if (tensor === undefined || entry === undefined) throw new RangeError(`"${this.path}" has no tensor "${name}"`);
    const width = dtypeBytes(tensor.dtype);
    const buffer = new Uint8Array(Math.min(PIECE_BYTES, Math.max(tensor.bytes, width)));
    const elements = new Float32Array(buffer.length / width);
    for await (const data of this.#bytesOf(name, tensor, entry, buffer)) {
      const piece = elements.subarray(0, data.length / width);
      writeFloat32(tensor.dtype, data, piece);
      yield piece;
    }
  }

  /** Bytes of a tensor in row-major order, in pieces of `buffer`. */
  async *#bytesOf(name: string, tensor: TorchTensor, entry: ZipEntry, buffer: Uint8Array<ArrayBuffer>) {
    const { storage, strides, offset, span, shape, dtype } = tensor;
    const range = { begin: entry.begin + offset, end: entry.begin + offset + span };
    if (strides === undefined && this.#users.get(storage) === 1) return yield* this.#sole(name, entry, range);
    await this.#check(name, storage, entry);
    if (strides === undefined) return yield* this.#range(name, range, buffer);
    if (span > MAX_SPAN_BYTES) {
      this.#fail(
        `the elements of "${printable(name)}" are not in order, and it spans ${span} bytes, at most ${MAX_SPAN_BYTES}`,
        "call .contiguous() on it and save it again",
      );
    }
    const all = new Uint8Array(span);
    await readPiece({ handle: this.handle, path: this.path }, range.begin, all, name, this.#fail);
    yield* rowMajor({ span: all, width: dtypeBytes(dtype), shape, strides }, buffer);
  }

  /** The part of a storage that its one tensor has, once the whole of it is read. */
  async *#sole(name: string, entry: ZipEntry, { begin, end }: Range) {
    const buffer = new Uint8Array(Math.min(PIECE_BYTES, entry.end - entry.begin));
    let at = entry.begin, checksum = 0;
    for await (const data of this.#range(name, entry, buffer)) {
      checksum = crc32(data, checksum);
      const [from, to] = [Math.max(begin - at, 0), Math.min(end - at, data.length)];
      if (from < to) yield data.subarray(from, to);
      at += data.length;
    }
    this.#compare(checksum, entry, name);
  }

  async #check(name: string, storage: string, entry: ZipEntry): Promise<void> {
    if (this.#checked.has(storage)) return;
    let checksum = 0;
    const buffer = new Uint8Array(Math.min(PIECE_BYTES, entry.end - entry.begin));
    for await (const data of this.#range(name, entry, buffer)) checksum = crc32(data, checksum);
    this.#compare(checksum, entry, name);
    this.#checked.add(storage);
  }

  #compare(checksum: number, entry: ZipEntry, name: string): void {
    if (checksum !== entry.crc32) this.#fail(`the storage of "${printable(name)}" is damaged, its checksum is another`);
  }

  /** Bytes of the file, in pieces of `buffer`. */
  async *#range(name: string, { begin, end }: Range, buffer: Uint8Array<ArrayBuffer>) {
    for (let at = begin; at < end; at += buffer.length) {
      const data = buffer.subarray(0, Math.min(buffer.length, end - at));
      await readPiece({ handle: this.handle, path: this.path }, at, data, name, this.#fail);
      yield data;
    }
  }

  close(): void {
    this.handle.close();
  }
}

/** Whether numbers are stored as this reads them; archives of versions that do not say are so. */
async function requireLittleEndian(handle: FileHandle, entry: ZipEntry | undefined, fail: Fail): Promise<void> {
  if (entry === undefined) return;
  const order = new TextDecoder().decode(await readWhole(handle, entry, 8, fail));
  if (order === "big") fail("its byte order is big", SAVE_AGAIN);
  if (order !== "little") fail(`its byte order is "${printable(order)}"`);
}

/** Stops at a small file that would be a large model. */
function requireRealSize(slots: ReadonlyMap<string, TorchTensor>, fileBytes: number, fail: Fail): void {
  const bytes = [...slots.values()].reduce((sum, tensor) => sum + tensor.bytes, 0);
  if (bytes <= MAX_REPEATS * fileBytes + REPEATS_ALLOWED_BYTES) return;
  fail(`its tensors have ${bytes} bytes, and the file ${fileBytes}, since they share or repeat elements`, SAVE_AGAIN);
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
