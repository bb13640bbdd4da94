/** Domains of a corpus and the random choices that are made within one. */
import { philox } from "../arithmetic/philox.ts";
import { STREAM } from "../arithmetic/streams.ts";
import { sha256Bytes } from "../digest/sha256.ts";

/** Which part of a corpus a document belongs to. */
export type Split = "train" | "validation";

/** A number for each split. */
export type PerSplit = Readonly<Record<Split, number>>;

/** One in this many documents is validation, where no validation files are given. */
export const VALIDATION_ONE_IN = 20;

/** Domain of documents that name none. */
export const UNNAMED_DOMAIN = "default";

/** A document as its source gives it. */
export interface SourceDocument {
  readonly domain: string;
  readonly split: Split;
  /** well-formed Unicode, not empty */
  readonly text: string;
}

const encoder = new TextEncoder();
const words = new Uint32Array(4);

/** The domain's word in Philox counters: the first four bytes of its name's SHA-256, big-endian. */
export function domainWord(domain: string): number {
  return new DataView(sha256Bytes(encoder.encode(domain)).buffer).getUint32(0);
}

/** A Philox key of a seed from 0 to 2^53 − 1. */
export function seedKey(seed: number): [number, number] {
  return [seed >>> 0, Math.floor(seed / 4294967296) >>> 0];
}

/**
 * Which split a document falls in, from its ordinal in its domain alone: of each twenty consecutive documents one,
 * chosen at random, is validation. The share is exact, and no list of documents is needed.
 *
 * @param word {@linkcode domainWord} of the document's domain
 */
export function splitOf(
  dataSeed: number,
  word: number,
  ordinal: number,
): Split {
  const block = Math.floor(ordinal / VALIDATION_ONE_IN);
  philox(
    seedKey(dataSeed),
    [
      block >>> 0,
      Math.floor(block / 4294967296) >>> 0,
      word,
      STREAM.documentSplit,
    ],
    words,
  );
  const chosen = Math.floor((words[0] ?? 0) * VALIDATION_ONE_IN / 4294967296);
  return ordinal % VALIDATION_ONE_IN === chosen ? "validation" : "train";
}
