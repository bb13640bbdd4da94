import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { DocumentCutter, LONGEST_PIECE } from "../../src/data/document_cutter.ts";
import { readLines } from "../../src/data/lines.ts";
import { BYTE_TOKENIZER } from "../../src/data/tokenizer.ts";
import { decodeUtf8 } from "../../src/data/utf8.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

async function* inPieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield await Promise.resolve(bytes.subarray(at, at + length));
}

async function linesOf(text: string, pieceLength: number, longest: number) {
  const lines: { text: string; number: number; offset: number }[] = [];
  for await (const { bytes, number, offset } of readLines(inPieces(encode(text), pieceLength), longest)) {
    lines.push({ text: decode(bytes), number, offset });
  }
  return lines;
}

Deno.test("readLines() numbers lines and gives their offsets", async () => {
  for (const pieceLength of [1, 2, 3, 100]) {
    deepEqual(await linesOf("ab\n\nä\nend", pieceLength, 100), [
      { text: "ab\n", number: 1, offset: 0 },
      { text: "\n", number: 2, offset: 3 },
      { text: "ä\n", number: 3, offset: 4 },
      { text: "end", number: 4, offset: 7 },
    ]);
  }
});

Deno.test("readLines() cuts lines that are too long between characters", async () => {
  deepEqual(
    (await linesOf("aa€€b\nc", 4, 4)).map(({ text, number }) => [text, number]),
    [
      ["aa", 1],
      ["€", 1],
      ["€b", 1],
      ["\n", 1],
      ["c", 2],
    ].filter(([text]) => text !== ""),
  );
});

Deno.test("readLines() gives every byte once, whatever the pieces", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom("\n", "a", "é", "€", "😀", "\r\n"), { maxLength: 200 }).map((parts) => parts.join("")),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 4, max: 40 }),
      async (text, pieceLength, longest) => {
        const lines = await linesOf(text, pieceLength, longest);
        equal(lines.map((line) => line.text).join(""), text);
        let offset = 0;
        for (const line of lines) {
          equal(line.offset, offset);
          const { length } = encode(line.text);
          ok(length > 0 && length <= longest);
          offset += length;
        }
      },
    ),
    { numRuns: 200 },
  ));

async function cut(text: string): Promise<string[]> {
  const cutter = new DocumentCutter();
  const documents: (Uint8Array | null)[] = [];
  for await (const line of readLines(inPieces(encode(text), 1000), LONGEST_PIECE)) {
    documents.push(cutter.push(line.bytes));
  }
  documents.push(cutter.finish());
  return documents.filter((document) => document !== null).map(decode);
}

Deno.test("DocumentCutter ends a document at the first paragraph after 4 kB", async () => {
  const paragraph = `${"word ".repeat(300)}\n`; // 1501 bytes
  const documents = await cut(`${paragraph}\n`.repeat(5));
  deepEqual(documents.map((document) => document.length), [3 * 1502, 2 * 1502]);
});

Deno.test("DocumentCutter ends a document before a top-level documentation comment, or from 8 kB on any", async () => {
  const member = (indentation: string) => `${indentation}/** note */\n${indentation}x: ${"y".repeat(980)};\n`;
  const shallow = await cut(member("    ").repeat(10));
  ok(shallow.every((document) => document.startsWith("    /** note */")));
  equal(shallow[0]?.length, 5 * member("    ").length);
  const deep = await cut(member("        ").repeat(20));
  ok(deep.every((document) => document.startsWith("        /** note */")));
  equal(deep[0]?.length, 9 * member("        ").length);
});

Deno.test("DocumentCutter keeps every byte, and documents within bounds, for any text", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.tuple(
          fc.constantFrom("\n", "/** x\n", "   /** x\n", "abc\n", "é\r\n", "z"),
          fc.integer({ min: 1, max: 9000 }),
        ),
        { maxLength: 12 },
      ),
      async (parts) => {
        const text = parts.map(([part, times]) => part.repeat(times)).join("");
        const documents = await cut(text);
        equal(documents.join(""), text);
        for (const document of documents) ok(encode(document).length <= 16384 + LONGEST_PIECE);
        for (const document of documents.slice(0, -1)) ok(encode(document).length >= 4096);
      },
    ),
    { numRuns: 50 },
  ));

Deno.test("DocumentCutter ends a document in blank lines without end", async () => {
  const text = `${"word\n".repeat(1000)}${"\n".repeat(80_000)}`;
  const documents = await cut(text);
  deepEqual(documents.map(({ length }) => length), [32_768, 32_768, 19_464]);
  equal(documents.join(""), text);
});

Deno.test("decodeUtf8() finds the first ill-formed sequence", () => {
  const cases: [number[], number][] = [
    [[0x61, 0x80], 1],
    [[0x61, 0xc3], 1],
    [[0xc0, 0xaf], 0],
    [[0x61, 0x62, 0xed, 0xa0, 0x80], 2], // a surrogate
    [[0xe2, 0x82, 0xac, 0xe0, 0x80, 0x80], 3], // overlong
    [[0xf4, 0x90, 0x80, 0x80], 0], // beyond U+10FFFF
    [[0x61, 0xf0, 0x9f, 0x98, 0x61], 1],
    [[0xff, 0xfe, 0x61, 0x00], 0], // UTF-16
  ];
  for (const [bytes, offset] of cases) deepEqual(decodeUtf8(Uint8Array.from(bytes)), { ok: false, offset });
  deepEqual(decodeUtf8(encode("\ufeffa€😀")), { ok: true, text: "\ufeffa€😀" });
});

Deno.test("decodeUtf8() finds the place where the longest decodable prefix ends", () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      const decoded = decodeUtf8(bytes);
      if (decoded.ok) return deepEqual(encode(decoded.text), bytes);
      ok(decodeUtf8(bytes.subarray(0, decoded.offset)).ok);
      for (let end = decoded.offset + 1; end <= bytes.length; end++) {
        ok(!decodeUtf8(bytes.subarray(0, end)).ok || end < decoded.offset + 4);
      }
    }),
    { numRuns: 2000 },
  ));

Deno.test("BYTE_TOKENIZER encodes UTF-8 bytes and ends documents with 0", () => {
  deepEqual([...BYTE_TOKENIZER.encode("Aé€")], [65, 0xc3, 0xa9, 0xe2, 0x82, 0xac]);
  equal(BYTE_TOKENIZER.endOfText, 0);
  equal(BYTE_TOKENIZER.vocabularySize, 256);
});
