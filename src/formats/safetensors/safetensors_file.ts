/** A safetensors file on the disk, read by ranges: what is held is the header and a piece of one tensor. */
import { DENO_FILES } from "../../files/deno_file_system.ts";
import type { FileHandle, FileSystem } from "../../files/file_system.ts";
import { readAt } from "../read_at.ts";
import { writeFloat32 } from "./safetensors.ts";
import {
  badSafetensors,
  dtypeBytes,
  LENGTH_BYTES,
  parseSafetensorsHeader,
  readHeaderLength,
  type SafetensorsHeader,
} from "./safetensors_header.ts";
import { openTensorFile, PIECE_BYTES, readPiece, type TensorFile } from "../tensor_file.ts";

/** An open file. Tensors may be read in any order, one at a time. Close it. */
export class SafetensorsFile implements TensorFile {
  readonly slots: SafetensorsHeader["slots"];
  readonly metadata: SafetensorsHeader["metadata"];

  private constructor(
    /** how messages name it */
    readonly path: string,
    private readonly handle: FileHandle,
    header: SafetensorsHeader,
    private readonly dataStart: number,
  ) {
    this.slots = header.slots;
    this.metadata = header.metadata;
  }

  /**
   * Opens a file and reads its header, as strictly as `parseSafetensors` does.
   *
   * @throws {UserError} `BAD_SAFETENSORS`, `UNSUPPORTED_SAFETENSORS`; `NOT_A_FILE` and others if it cannot be read
   */
  static async open(path: string, files: FileSystem = DENO_FILES): Promise<SafetensorsFile> {
    return await openTensorFile(path, files, async (handle, bytes) => {
      const start = new Uint8Array(LENGTH_BYTES);
      const length = readHeaderLength(start.subarray(0, await readAt(handle, 0, start)), bytes, path);
      const header = new Uint8Array(length);
      if (await readAt(handle, LENGTH_BYTES, header) < length) throw badSafetensors(path, "its header is cut short");
      const dataStart = LENGTH_BYTES + length;
      return new SafetensorsFile(path, handle, parseSafetensorsHeader(header, bytes - dataStart, path), dataStart);
    });
  }

  /**
   * A tensor's elements as f32, in pieces of at most 2^19 elements. A piece is good until the next one is asked for: they
   * share their memory, so that the garbage of a large file does not become larger than the file.
   *
   * @param name of a tensor that the file has, of a floating-point type
   * @throws {UserError} `BAD_SAFETENSORS` if the file has become shorter, or the tensor holds no weights
   */
  async *elements(name: string): AsyncGenerator<Float32Array<ArrayBuffer>, void> {
    const slot = this.slots.get(name);
    if (slot === undefined) throw new RangeError(`"${this.path}" has no tensor "${name}"`);
    const { dtype, begin, end } = slot;
    const buffer = new Uint8Array(Math.min(PIECE_BYTES, end - begin));
    const elements = new Float32Array(buffer.length / dtypeBytes(dtype));
    for (let at = begin; at < end; at += buffer.length) {
      const data = buffer.subarray(0, Math.min(buffer.length, end - at));
      await readPiece({ handle: this.handle, path: this.path }, this.dataStart + at, data, name, this.#fail);
      const piece = elements.subarray(0, data.length / dtypeBytes(dtype));
      writeFloat32(dtype, data, piece);
      yield piece;
    }
  }

  close(): void {
    this.handle.close();
  }

  readonly #fail = (problem: string): never => {
    throw badSafetensors(this.path, problem);
  };
}
