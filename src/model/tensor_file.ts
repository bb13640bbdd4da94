/** A file of tensors on the disk, whatever its format. */
import type { SafetensorsDtype } from "./safetensors_header.ts";

/** An open file. Tensors may be read in any order, one at a time. Close it. */
export interface TensorFile {
  /** how messages name it */
  readonly path: string;
  /** what tensors there are, by name: element type, and lengths, outermost first */
  readonly slots: ReadonlyMap<string, { readonly dtype: SafetensorsDtype; readonly shape: readonly number[] }>;
  /**
   * A tensor's elements as f32, row-major, in pieces. A piece is good until the next one is asked for.
   *
   * @param name of a tensor that the file has, of a floating-point type
   * @throws {UserError} if the file has become shorter or is damaged
   */
  elements(name: string): AsyncIterable<Float32Array<ArrayBuffer>>;
  /** Frees what is open. */
  close(): void;
}
