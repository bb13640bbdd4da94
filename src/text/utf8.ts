/** Strict UTF-8, with the place of the first fault. */

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decoded text, or the offset of the first byte that no well-formed UTF-8 has there. */
export type Decoded =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly offset: number };

/** Decodes a complete byte string; a byte order mark is kept as U+FEFF. */
export function decodeUtf8(bytes: Uint8Array): Decoded {
  try {
    return { ok: true, text: strict.decode(bytes) };
  } catch {
    return { ok: false, offset: firstFault(bytes) };
  }
}

/** Number of continuation bytes and the range of the first of them, by the lead byte (Unicode 16, table 3-7). */
function expectedAfter(
  lead: number,
): readonly [count: number, low: number, high: number] | null {
  if (lead < 0x80) return [0, 0, 0];
  if (lead >= 0xc2 && lead <= 0xdf) return [1, 0x80, 0xbf];
  if (lead >= 0xe0 && lead <= 0xef) {
    return [2, lead === 0xe0 ? 0xa0 : 0x80, lead === 0xed ? 0x9f : 0xbf];
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    return [3, lead === 0xf0 ? 0x90 : 0x80, lead === 0xf4 ? 0x8f : 0xbf];
  }
  return null;
}

/** Offset of the start of the first ill-formed sequence. */
function firstFault(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length;) {
    const expected = expectedAfter(bytes[at] ?? 0);
    if (expected === null) return at;
    const [count, low, high] = expected;
    for (let i = 1; i <= count; i++) {
      const byte = bytes[at + i];
      if (
        byte === undefined || byte < (i === 1 ? low : 0x80) ||
        byte > (i === 1 ? high : 0xbf)
      ) return at;
    }
    at += count + 1;
  }
  return bytes.length;
}

const encoder = new TextEncoder();
/** Room for what is only counted. */
const scratch = new Uint8Array(1 << 16);
/** UTF-8 bytes of a UTF-16 code unit at most. */
const MOST_BYTES = 3;

/** Bytes of a well-formed text's UTF-8. */
export function utf8Bytes(text: string): number {
  if (MOST_BYTES * text.length <= scratch.length) return encoder.encodeInto(text, scratch).written;
  return encoder.encode(text).length;
}
