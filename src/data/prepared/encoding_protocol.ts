/** Messages between the thread that reads documents and those that encode them. */
import type { ErrorCode } from "../../errors.ts";

/** Documents to encode. */
export interface EncodingTask {
  readonly texts: readonly string[];
}

/** Why a document was refused: a `UserError`, whose class does not pass between threads. */
export interface EncodingRefusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Their ids, in the same order. */
export interface EncodingResult {
  /** of all documents, one after the other, without ends */
  readonly tokens: Uint16Array<ArrayBuffer>;
  /** ids of each document */
  readonly counts: Uint32Array<ArrayBuffer>;
  /** UTF-8 bytes of each document */
  readonly textBytes: Float64Array<ArrayBuffer>;
}
