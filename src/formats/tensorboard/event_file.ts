/**
 * TensorBoard's event files: `Event` messages of protocol buffers in TFRecord frames (tensorflow/core/util/event.proto,
 * tensorflow/core/lib/io/record_writer.h). Web-standard APIs only.
 *
 * On npm the writers are tfjs-node's, which needs TensorFlow's native library, and a few that have not changed for years
 * and write through Node's streams. What is needed of the formats is this page.
 */

/** A number at a step. */
export interface ScalarEvent {
  readonly step: number;
  /** name of its chart: `train/loss` */
  readonly tag: string;
  readonly value: number;
}

const encoder = new TextEncoder();

/** CRC-32C (Castagnoli), RFC 3720 appendix B.4: reflected, polynomial 0x82f63b78. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

/** CRC-32C of bytes, unsigned. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] as number);
  return (crc ^ 0xffffffff) >>> 0;
}

/** As TFRecord stores it: rotated and added to, so that a record of records has no CRC of its own CRCs. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Length and its CRC, the data and theirs; little-endian. */
export function tfRecord(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return record;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push(value % 128 + 128);
  return [...bytes, value];
}

/** A field of bytes: its number, wire type 2, length. */
function delimited(field: number, bytes: ArrayLike<number>): number[] {
  return [...varint(field * 8 + 2), ...varint(bytes.length), ...Array.from(bytes)];
}

function float(field: number, value: number): number[] {
  return [...varint(field * 8 + 5), ...new Uint8Array(Float32Array.of(value).buffer)];
}

/** `wall_time`, field 1 of every event: journals know no time, and the same curve is to be the same file. */
const NO_TIME = [1 * 8 + 1, 0, 0, 0, 0, 0, 0, 0, 0];

/** The first event of a file: `file_version`, field 3. */
const FILE_VERSION = Uint8Array.from([...NO_TIME, ...delimited(3, encoder.encode("brain.Event:2"))]);

/** An event with one scalar: `step` (2), and in `summary` (5) a `value` (1) with `tag` (1) and `simple_value` (2). */
function scalarEvent({ step, tag, value }: ScalarEvent): Uint8Array {
  const summary = delimited(1, [...delimited(1, encoder.encode(tag)), ...float(2, value)]);
  return Uint8Array.from([...NO_TIME, 2 * 8, ...varint(step), ...delimited(5, summary)]);
}

/** A whole file. That of a longer list begins with the same bytes. */
export function eventFile(events: Iterable<ScalarEvent>): Uint8Array<ArrayBuffer> {
  const records = [tfRecord(FILE_VERSION)];
  for (const event of events) records.push(tfRecord(scalarEvent(event)));
  const file = new Uint8Array(records.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const record of records) {
    file.set(record, at);
    at += record.length;
  }
  return file;
}
