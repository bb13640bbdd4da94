import fc from "fast-check";
import { deepEqual, equal, ok } from "node:assert/strict";
import { DocumentCutter, LONGEST_PIECE } from "../../../src/data/text/document_cutter.ts";
import { readLines } from "../../../src/data/text/lines.ts";
import { decode, encode, inPieces } from "./bytes.ts";

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
