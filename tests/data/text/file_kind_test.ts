/** Files that are of another kind than their names say. */
import assert from "node:assert/strict";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { hasNoDocument, inspectFile, readDocuments } from "../../../src/data/text/file_source.ts";
import { withFolder } from "../../temporary_folder.ts";
import { userError } from "../user_error.ts";

const encoder = new TextEncoder();
const LINE = '{"text": "a"}\n';

/** Text of two bytes a character. */
function utf16(text: string, littleEndian: boolean): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(2 * text.length));
  for (let i = 0; i < text.length; i++) bytes.setUint16(2 * i, text.charCodeAt(i), littleEndian);
  return new Uint8Array(bytes.buffer);
}

async function texts(folder: string, name: string, content: string | Uint8Array): Promise<string[]> {
  const path = `${folder}/${name}`;
  await Deno.writeFile(path, typeof content === "string" ? encoder.encode(content) : content);
  const file = await inspectFile(path, () => {});
  return (await Array.fromAsync(readDocuments(file, () => {}))).map(({ text }) => text);
}

for (
  const [name, what, content, code, ...parts] of [
    ["a.jsonl", "gzip", gzipSync(LINE), "OTHER_FORMAT", "is gzip, not .jsonl", "decompress it"],
    ["a.txt", "gzip", gzipSync(LINE), "OTHER_FORMAT", "is gzip, not .txt"],
    ["a.jsonl.zst", "gzip", gzipSync(LINE), "OTHER_FORMAT", "is gzip, not .jsonl.zst"],
    ["a.jsonl", "Zstandard", zstdCompressSync(LINE), "OTHER_FORMAT", "is Zstandard", "name it .jsonl.zst"],
    ["a.jsonl.zst", "plain JSON", LINE, "OTHER_FORMAT", "is uncompressed JSON", "name it .jsonl"],
    ["a.jsonl", "a JSON array", `[${LINE.trim()}]`, "OTHER_FORMAT", "is one JSON array", "jq -c"],
    ["a.jsonl.zst", "a compressed array", zstdCompressSync("[\n  {\n"), "OTHER_FORMAT", "is one JSON array"],
    ["a.jsonl", "bzip2", "BZh91AY&SY", "OTHER_FORMAT", "is bzip2"],
    ["a.jsonl", "xz", Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), "OTHER_FORMAT", "is xz"],
    ["a.jsonl", "ZIP", "PK\x03\x04rest", "OTHER_FORMAT", "is ZIP", "unpack"],
    ["a.jsonl", "LZ4", Uint8Array.of(4, 0x22, 0x4d, 0x18), "OTHER_FORMAT", "is LZ4"],
    ["a.jsonl", "Parquet", "PAR1", "OTHER_FORMAT", "is Parquet", "name it .parquet"],
    ["a.parquet", "JSON", LINE, "OTHER_FORMAT", "is uncompressed JSON, not .parquet"],
    ["a.parquet", "a page", "<!DOCTYPE html><html>", "OTHER_FORMAT", "is HTML", "download it again"],
    ["a.jsonl", "a page", "\n<html><body>", "OTHER_FORMAT", "is HTML"],
    ["a.txt", "UTF-16 with its mark", utf16("\ufeffab", true), "NOT_UTF8", "is UTF-16", "iconv"],
    ["a.txt", "UTF-16 of the other order", utf16("\ufeffab", false), "NOT_UTF8", "is UTF-16"],
    ["a.txt", "UTF-16 without a mark", utf16("a text", true), "NOT_UTF8", "is UTF-16"],
    ["a.jsonl", "UTF-16 without a mark", utf16(LINE, false), "NOT_UTF8", "is UTF-16"],
    ["a.jsonl.zst", "compressed UTF-16", zstdCompressSync(utf16(LINE, true)), "NOT_UTF8", "is UTF-16"],
    ["a.jsonl", "UTF-32", Uint8Array.of(0xff, 0xfe, 0, 0, 0x7b, 0, 0, 0), "NOT_UTF8", "is UTF-32"],
    ["a.jsonl.gz", "gzip by its name", gzipSync(LINE), "UNKNOWN_FORMAT", "decompress it"],
    ["a.txt.zst", "compressed text", zstdCompressSync("a"), "UNKNOWN_FORMAT", "decompress it"],
  ] as const
) {
  Deno.test(`${what} in "${name}" is named as what it is`, () =>
    withFolder(async (folder) => {
      await assert.rejects(texts(folder, name, content), userError(code, name, ...parts));
    }));
}

for (
  const [name, what, content, expected] of [
    ["a.jsonl", "a byte order mark and Windows' line ends", "\ufeff" + LINE.replace("\n", "\r\n").repeat(2), [
      "a",
      "a",
    ]],
    ["a.txt", "a byte order mark", "\ufeffab", ["ab"]],
    ["a.txt", "a NUL, which reads as an end", "a\0b\0", ["a\0b\0"]],
    ["a.txt", "a page's source", "<html>a</html>", ["<html>a</html>"]],
    ["a.txt", "JSON", LINE, [LINE]],
    ["a.txt", "a word that Parquet begins with", "PAR1 of the course", ["PAR1 of the course"]],
    ["a.txt", "nothing", "", []],
    ["a.jsonl", "nothing", "", []],
    ["a.jsonl.zst", "nothing", "", []],
  ] as const
) {
  Deno.test(`"${name}" with ${what} is read`, () =>
    withFolder(async (folder) => {
      // The mark and the NUL between letters would pass for UTF-16 if they went on so.
      assert.deepEqual(await texts(folder, name, content), expected);
    }));
}

Deno.test("hasNoDocument() is true of empty files in every form, and false where there is text", () =>
  withFolder(async (folder) => {
    for (
      const [name, content, expected] of [
        ["a.txt", "", true],
        ["b.jsonl", "", true],
        ["c.jsonl", "\n\r\n", true],
        ["d.jsonl.zst", zstdCompressSync(""), true],
        ["e.jsonl", '{"text": ""}\n{"text": null}\n', true],
        ["f.jsonl", LINE, false],
      ] as const
    ) {
      const path = `${folder}/${name}`;
      await Deno.writeFile(path, typeof content === "string" ? encoder.encode(content) : content);
      assert.equal(await hasNoDocument(await inspectFile(path, () => {})), expected, name);
    }
  }));
