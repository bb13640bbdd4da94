/** The bytes of a pickle, taken from the front; never beyond their end. */
import { printable } from "../../files/safe_name.ts";
import type { Fail } from "./torch_error.ts";

const MAX_LINE = 256;
const NEWLINE = 0x0a;

/** A place in the bytes of a pickle. */
export class PickleInput {
  #at = 0;
  readonly #view: DataView;

  /** Begins at the first of `bytes`; `fail` throws what is wrong with them. */
  constructor(private readonly bytes: Uint8Array, private readonly fail: Fail) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** bytes taken so far */
  get at(): number {
    return this.#at;
  }

  /** Whether all bytes are taken. */
  get isAtEnd(): boolean {
    return this.#at === this.bytes.length;
  }

  /** Goes on by `size` bytes; returns where they begin. */
  #take(size: number): number {
    const start = this.#at;
    if (size > this.bytes.length - start) this.fail(`its pickle ends at byte ${this.bytes.length}, within a value`);
    this.#at += size;
    return start;
  }

  /** An unsigned byte. */
  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  /** Two unsigned bytes, little-endian. */
  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  /** Four unsigned bytes, little-endian. */
  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** Eight unsigned bytes, little-endian; `Infinity` beyond 2^53, which is more than any file has. */
  u64(): number {
    const value = Number(this.#view.getBigUint64(this.#take(8), true));
    return Number.isSafeInteger(value) ? value : Infinity;
  }

  /** Four signed bytes, little-endian. */
  i32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  /** A signed integer of as many bytes as the first one says; one that a double holds exactly. */
  long1(): number {
    const size = this.u8();
    const start = this.#take(size);
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = value << 8n | BigInt(this.bytes[start + i] ?? 0);
    const number = Number(BigInt.asIntN(8 * size, value));
    return Number.isSafeInteger(number) ? number : this.fail(`its pickle has an integer of ${size} bytes, beyond 2^53`);
  }

  /** Fails unless as many bytes follow. */
  requireMore(size: number): void {
    if (size > this.bytes.length - this.#at) this.fail(`its pickle ends at byte ${this.bytes.length}, within a frame`);
  }

  /** As many bytes of UTF-8. */
  text(size: number): string {
    const start = this.#take(size);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.bytes.subarray(start, this.#at));
    } catch {
      return this.fail(`its pickle has text at byte ${start} that is not UTF-8`);
    }
  }

  /** ASCII up to a line feed. */
  line(): string {
    const start = this.#at;
    const end = this.bytes.indexOf(NEWLINE, start);
    if (end < 0 || end - start > MAX_LINE) this.fail(`its pickle has a name at byte ${start} that does not end`);
    this.#at = end + 1;
    const line = String.fromCharCode(...this.bytes.subarray(start, end));
    return /^[\x20-\x7e]*$/.test(line) ? line : this.fail(`its pickle has a name "${printable(line)}" beyond ASCII`);
  }
}
