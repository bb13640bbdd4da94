/** Changes of bytes, for fuzzing: what a faulty disk does, and what an attacker does who knows no format. */
import fc from "fast-check";

/** One change. Places are shares of the length, so that one change fits bytes of any length. */
export interface ByteEdit {
  /** `flip` turns one bit; `copy` and `move` bring a range of the same bytes to the place; `cut` drops all from there */
  readonly kind: "flip" | "replace" | "insert" | "remove" | "copy" | "move" | "cut";
  readonly at: number;
  readonly from: number;
  /** bytes of a range */
  readonly length: number;
  readonly byte: number;
}

/** Evenly from 0 to 1: doubles would be drawn by their bits, and most of them are next to nothing. */
const share = fc.noBias(fc.nat(2 ** 31 - 1)).map((n) => n / 2 ** 31);

/** Bytes that mean something in JSON, more often than others. */
const byte = fc.oneof(
  fc.nat(255),
  fc.constantFrom(...'{}[]",:0123456789.-eE\\ \n'.split("").map((c) => c.charCodeAt(0))),
);

/** One to four changes; cuts are rare, as they leave little to be wrong. */
export const byteEdits: fc.Arbitrary<readonly ByteEdit[]> = fc.array(
  fc.record<ByteEdit>({
    kind: fc.constantFrom("flip", "flip", "flip", "replace", "replace", "insert", "remove", "copy", "move", "cut"),
    at: share,
    from: share,
    length: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 400 })),
    byte,
  }),
  { minLength: 1, maxLength: 4 },
);

function spliced(bytes: Uint8Array, at: number, removed: number, inserted: Uint8Array): Uint8Array<ArrayBuffer> {
  const tail = bytes.subarray(at + removed);
  const result = new Uint8Array(at + inserted.length + tail.length);
  result.set(bytes.subarray(0, at));
  result.set(inserted, at);
  result.set(tail, at + inserted.length);
  return result;
}

function applyOne(bytes: Uint8Array, { kind, at, from, length, byte }: ByteEdit): Uint8Array<ArrayBuffer> {
  const place = Math.floor(at * bytes.length);
  const source = Math.floor(from * bytes.length);
  const range = bytes.slice(source, source + length);
  switch (kind) {
    case "flip":
      return spliced(bytes, place, 1, Uint8Array.of((bytes[place] ?? 0) ^ (1 << (byte & 7))));
    case "replace":
      return spliced(bytes, place, 1, Uint8Array.of(byte));
    case "insert":
      return spliced(bytes, place, 0, new Uint8Array(length).fill(byte));
    case "remove":
      return spliced(bytes, place, length, new Uint8Array(0));
    case "copy":
      return spliced(bytes, place, 0, range);
    case "move":
      return spliced(
        spliced(bytes, source, length, new Uint8Array(0)),
        Math.min(place, bytes.length - range.length),
        0,
        range,
      );
    case "cut":
      return bytes.slice(0, place);
  }
}

/** The changes one after the other. */
export function applyByteEdits(bytes: Uint8Array, edits: readonly ByteEdit[]): Uint8Array<ArrayBuffer> {
  return edits.reduce<Uint8Array<ArrayBuffer>>(applyOne, bytes.slice());
}
