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
import { writeFloat32 } from "../safetensors/safetensors.ts";
import { dtypeBytes } from "../safetensors/safetensors_header.ts";
import { openTensorFile, PIECE_BYTES, readPiece, type TensorFile } from "../tensor_file.ts";
import { readStateDict, type TorchTensor } from "./state_dict.ts";
import { rowMajor } from "./strided.ts";
import { type Fail, failOf, SAVE_AGAIN } from "./torch_error.ts";
import { requireArchive } from "./torch_formats.ts";
import { findStorages, readPickleRecord, readRecords } from "./torch_records.ts";
import type { ZipEntry } from "./zip_directory.ts";

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
      const records = await readRecords(handle, bytes, fail);
      const slots = readStateDict(await readPickleRecord(handle, records, fail), path);
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

/** Stops at a small file that would be a large model. */
function requireRealSize(slots: ReadonlyMap<string, TorchTensor>, fileBytes: number, fail: Fail): void {
  const bytes = [...slots.values()].reduce((sum, tensor) => sum + tensor.bytes, 0);
  if (bytes <= MAX_REPEATS * fileBytes + REPEATS_ALLOWED_BYTES) return;
  fail(`its tensors have ${bytes} bytes, and the file ${fileBytes}, since they share or repeat elements`, SAVE_AGAIN);
}
