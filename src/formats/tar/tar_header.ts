/** Reading one header of an archive, and saying what is wrong with it. */
import { printable, unsafeNameReason } from "../../files/safe_name.ts";
import {
  BLOCK_BYTES,
  checksumOf,
  type FieldName,
  FIELDS,
  MAGIC,
  memberHeader,
  paddingAfter,
  type TarMember,
} from "./tar_format.ts";

/** Why a header is refused, as the end of a sentence about its entry. */
export class HeaderFlaw extends Error {}

/** Names and sizes of the longest names that are allowed take less. */
const MAX_PAX_BYTES = 8 * BLOCK_BYTES;

/** Entries that archives may have and bundles do not. */
const OTHER_TYPES: ReadonlyMap<string, string> = new Map([
  ["1", "is a hard link"],
  ["2", "is a symbolic link"],
  ["3", "is a character device"],
  ["4", "is a block device"],
  ["5", "is a folder: bundles hold files only, and their folders follow from the names"],
  ["6", "is a named pipe"],
  ["g", "is a global pax header, which overrides what all others say"],
  ["K", "is a long name of a link, in the way of GNU"],
  ["L", "is a long name in the way of GNU, where pax is expected"],
  ["S", "is a sparse file"],
]);

const latin1 = new TextDecoder("latin1");
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textOf(block: Uint8Array, field: FieldName): string {
  const [start, length] = FIELDS[field];
  return latin1.decode(block.subarray(start, start + length)).replace(/\0.*$/s, "");
}

function sizeOf(block: Uint8Array): number {
  const digits = textOf(block, "size");
  if (!/^[0-7]{11}$/.test(digits)) throw new HeaderFlaw("has a size that is not 11 octal digits");
  return Number.parseInt(digits, 8);
}

/** What kind of entry a header says it is; its bytes are those that its writer meant. */
function typeOf(block: Uint8Array): string {
  const [start, length] = FIELDS.magic;
  if (latin1.decode(block.subarray(start, start + length)) !== MAGIC) {
    throw new HeaderFlaw("has no header of POSIX ustar");
  }
  if (Number.parseInt(textOf(block, "checksum"), 8) !== checksumOf(block)) {
    throw new HeaderFlaw("has a damaged header: its checksum is another");
  }
  return textOf(block, "type");
}

/** The overrides of a pax header. */
function parsePax(bytes: Uint8Array): { path?: string; size?: number } {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new HeaderFlaw("has a pax header that is not UTF-8");
  }
  const found: { path?: string; size?: number } = {};
  for (const record of text.split("\n").slice(0, -1)) {
    const [, keyword = "", value = ""] = /^\d+ ([^=]+)=(.*)$/s.exec(record) ?? [];
    if (keyword === "path") found.path = value;
    else if (keyword === "size" && /^[1-9]\d{0,15}$/.test(value)) found.size = Number(value);
    else throw new HeaderFlaw(`has a pax header that overrides "${printable(keyword, 40)}"`);
  }
  return found;
}

/**
 * Reads the header of the next entry.
 *
 * @param read gives so many of the archive's bytes, from an offset in bytes after the beginning of the header
 * @returns the file, and the length of all that stands before its contents
 * @throws {HeaderFlaw} if it is not spelled as {@linkcode memberHeader} spells it, or its name is not safe
 */
export async function readMemberHeader(
  read: (offset: number, length: number) => Promise<Uint8Array>,
): Promise<TarMember & { readonly headerBytes: number }> {
  let raw = await read(0, BLOCK_BYTES);
  let pax: ReturnType<typeof parsePax> = {};
  if (typeOf(raw) === "x") {
    const size = sizeOf(raw);
    if (size > MAX_PAX_BYTES) throw new HeaderFlaw(`has a pax header of ${size} bytes`);
    raw = await read(0, 2 * BLOCK_BYTES + size + paddingAfter(size));
    pax = parsePax(raw.subarray(BLOCK_BYTES, BLOCK_BYTES + size));
  }
  const main = raw.subarray(raw.length - BLOCK_BYTES);
  const type = typeOf(main);
  if (type !== "0") throw new HeaderFlaw(OTHER_TYPES.get(type) ?? `is of type "${printable(type)}", which is unknown`);
  const prefix = textOf(main, "prefix");
  const name = pax.path ?? (prefix === "" ? "" : `${prefix}/`) + textOf(main, "name");
  const reason = unsafeNameReason(name);
  if (reason !== undefined) throw new HeaderFlaw(`has a name that ${reason}`);
  const member = { name, size: pax.size ?? sizeOf(main) };
  requireSpelling(raw, main, member);
  return { ...member, headerBytes: raw.length };
}

/** There is one header for a name and a size: whatever else stands in it could mean something to another reader. */
function requireSpelling(raw: Uint8Array, main: Uint8Array, member: TarMember): void {
  const expected = memberHeader(member);
  if (expected.length !== raw.length) {
    throw new HeaderFlaw(
      expected.length < raw.length ? "has a pax header that it does not need" : "needs a pax header",
    );
  }
  if (raw.every((byte, index) => byte === expected[index])) return;
  const last = expected.subarray(expected.length - BLOCK_BYTES);
  for (const [field, [start, length]] of Object.entries(FIELDS)) {
    if (field === "checksum" || same(main, last, start, length)) continue;
    throw new HeaderFlaw(`has another ${field} than bundles have`);
  }
  throw new HeaderFlaw("has a pax header that is spelled in another way than bundles spell it");
}

function same(a: Uint8Array, b: Uint8Array, start: number, length: number): boolean {
  return a.subarray(start, start + length).every((byte, index) => byte === b[start + index]);
}
