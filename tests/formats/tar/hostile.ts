/** Tar archives as no honest program writes them. */
import {
  BLOCK_BYTES,
  checksumOf,
  type FieldName,
  FIELDS,
  memberHeader,
  paddingAfter,
} from "../../../src/formats/tar/tar_format.ts";

const encoder = new TextEncoder();

/** Pieces in a row. */
export function join(...pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}

/** A header block with fields as they please, and the checksum that goes with them. */
export function forgeHeader(
  name: string,
  size: number,
  fields: Partial<Record<FieldName, string>> = {},
): Uint8Array<ArrayBuffer> {
  const block = memberHeader({ name: "x", size }).slice();
  for (const [field, text] of Object.entries({ name, ...fields })) {
    const [start, length] = FIELDS[field as FieldName];
    block.fill(0, start, start + length);
    block.set(encoder.encode(text).subarray(0, length), start);
  }
  if (fields.checksum === undefined) {
    block.set(encoder.encode(`${checksumOf(block).toString(8).padStart(6, "0")}\0 `), FIELDS.checksum[0]);
  }
  return block;
}

/** Contents, filled up to whole blocks. */
export function padded(text: string): Uint8Array<ArrayBuffer> {
  const bytes = encoder.encode(text);
  return join(bytes, new Uint8Array(paddingAfter(bytes.length)));
}

/** An entry of a regular file. */
export function entry(name: string, text: string, fields: Partial<Record<FieldName, string>> = {}) {
  return join(forgeHeader(name, encoder.encode(text).length, fields), padded(text));
}

/** A pax header with any records, lengths computed. */
export function paxEntry(records: Readonly<Record<string, string>>, type = "x") {
  const text = Object.entries(records).map(([keyword, value]) => {
    const rest = encoder.encode(` ${keyword}=${value}\n`).length;
    const length = rest + String(rest + String(rest).length).length;
    return `${length} ${keyword}=${value}\n`;
  }).join("");
  return entry("pax-header", text, { type });
}

/** What ends an archive. */
export const END = new Uint8Array(2 * BLOCK_BYTES);
