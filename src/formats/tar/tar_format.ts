/**
 * The one spelling of a tar archive that rewarm writes and accepts: POSIX ustar headers, with a pax header before a
 * name or a size that does not fit into one (IEEE Std 1003.1, pax, "ustar Interchange Format"). Names, sizes and
 * contents are all that varies, so that the same files give the same bytes on every machine.
 *
 * Written here because no library fits: std's tar is not in npm:deno-std, nanotar holds the archive in memory, and
 * tar-stream and modern-tar read forward only and take the many spellings by which two readers of one archive can be
 * made to see different files. A verifier needs offsets and one spelling, and to compare that is to write it.
 */
import { sha256 } from "../../digest/sha256.ts";

/** Headers and contents stand in blocks of this size. */
export const BLOCK_BYTES = 512;

/** A regular file in an archive. */
export interface TarMember {
  /** parts separated by `/` */
  readonly name: string;
  /** size in bytes */
  readonly size: number;
}

/** Largest size that a ustar header holds, in bytes: 11 octal digits. */
const MAX_USTAR_SIZE = 8 ** 11 - 1;
const MAX_NAME_BYTES = 100;
const MAX_PREFIX_BYTES = 155;
/** 1980-01-01 in UTC: the earliest time that every file system holds, FAT included. */
const MODIFIED = 315_532_800;

/** Where the fields of a header that a reader looks at stand: first byte, and length. */
export const FIELDS = {
  name: [0, MAX_NAME_BYTES],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  linkname: [157, 100],
  magic: [257, 8],
  uname: [265, 32],
  gname: [297, 32],
  devmajor: [329, 8],
  devminor: [337, 8],
  prefix: [345, MAX_PREFIX_BYTES],
  rest: [500, 12],
} as const satisfies Readonly<Record<string, readonly [number, number]>>;

/** Name of a field of a header. */
export type FieldName = keyof typeof FIELDS;

/** What stands in `magic`: ustar and its version. */
export const MAGIC = "ustar\u000000";

const encoder = new TextEncoder();

/** A number in octal digits, ended by NUL. */
function octal(value: number, length: number): string {
  return `${value.toString(8).padStart(length - 1, "0")}\0`;
}

/** Sum of a header's bytes, the checksum itself counted as spaces. */
export function checksumOf(block: Uint8Array): number {
  const [start, length] = FIELDS.checksum;
  let sum = 0;
  for (const [index, byte] of block.entries()) sum += index >= start && index < start + length ? 0x20 : byte;
  return sum;
}

function headerBlock(fields: Readonly<Record<"name" | "prefix" | "type", string>>, size: number): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  const put = (field: FieldName, text: string) => block.set(encoder.encode(text), FIELDS[field][0]);
  put("name", fields.name);
  put("mode", octal(0o644, 8));
  put("uid", octal(0, 8));
  put("gid", octal(0, 8));
  put("size", octal(size, 12));
  put("mtime", octal(MODIFIED, 12));
  put("type", fields.type);
  put("magic", MAGIC);
  put("devmajor", octal(0, 8));
  put("devminor", octal(0, 8));
  put("prefix", fields.prefix);
  put("checksum", `${octal(checksumOf(block), 7)} `);
  return block;
}

/** A name as ustar holds it, a long one cut as GNU tar cuts it, as late as it can; undefined where it takes a pax header. */
function ustarName(name: string): { readonly name: string; readonly prefix: string } | undefined {
  if (!/^[\x20-\x7e]+$/.test(name)) return undefined;
  if (name.length <= MAX_NAME_BYTES) return { name, prefix: "" };
  const cut = name.lastIndexOf("/", MAX_PREFIX_BYTES);
  if (cut < 0 || name.length - cut - 1 > MAX_NAME_BYTES) return undefined;
  return { name: name.slice(cut + 1), prefix: name.slice(0, cut) };
}

/** A record of a pax header: its length in bytes, which counts itself, a keyword and a value. */
function paxRecord(keyword: string, value: string): string {
  const rest = encoder.encode(` ${keyword}=${value}\n`).length;
  let length = rest;
  while (length !== rest + String(length).length) length = rest + String(length).length;
  return `${length} ${keyword}=${value}\n`;
}

/** Number of bytes that fill the last block of some contents. */
export function paddingAfter(size: number): number {
  return (BLOCK_BYTES - size % BLOCK_BYTES) % BLOCK_BYTES;
}

/** All that stands before the contents of a file: one block, or three and more where its name or size takes them. */
export function memberHeader({ name, size }: TarMember): Uint8Array {
  const fitting = ustarName(name);
  const isLarge = size > MAX_USTAR_SIZE;
  // What a reader that knows no pax headers takes for the name: no part of the real one, which may end in "..".
  const main = headerBlock(
    { ...fitting ?? { name: `pax-name/${sha256(name)}`, prefix: "" }, type: "0" },
    isLarge ? 0 : size,
  );
  if (fitting !== undefined && !isLarge) return main;
  const records = encoder.encode(
    (fitting === undefined ? paxRecord("path", name) : "") + (isLarge ? paxRecord("size", String(size)) : ""),
  );
  const header = new Uint8Array(2 * BLOCK_BYTES + records.length + paddingAfter(records.length));
  header.set(headerBlock({ name: "pax-header", prefix: "", type: "x" }, records.length));
  header.set(records, BLOCK_BYTES);
  header.set(main, header.length - BLOCK_BYTES);
  return header;
}

/** What ends an archive: two blocks of zeros. */
export const END_BYTES: number = 2 * BLOCK_BYTES;

/** Size of an archive of these files, in bytes. */
export function archiveSize(members: readonly TarMember[]): number {
  return members.reduce(
    (sum, { name, size }) => sum + memberHeader({ name, size }).length + size + paddingAfter(size),
    END_BYTES,
  );
}

/** Files in an archive, at most: more than a manifest can name. Keeps the index of a hostile archive small. */
export const MAX_MEMBERS = 1 << 19;

/** Whether a file begins as a tar archive does, of this spelling or another. */
export function looksLikeTar(start: Uint8Array): boolean {
  const [from] = FIELDS.magic;
  return new TextDecoder("latin1").decode(start.subarray(from, from + 5)) === "ustar";
}
