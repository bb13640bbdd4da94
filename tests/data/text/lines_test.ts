import fc from "fast-check";
import { deepEqual, equal, ok } from "node:assert/strict";
import { readLines } from "../../../src/data/text/lines.ts";
import { decode, encode, inPieces } from "./bytes.ts";

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
