import assert from "node:assert/strict";
import { hasWindowsLineEnds, textDigest, withLineFeeds } from "../../src/digest/line_ends.ts";
import { sha256 } from "../../src/digest/sha256.ts";

const encoder = new TextEncoder();

for (
  const { what, text, plain } of [
    { what: "Windows' line ends", text: "a\r\nb\r\n\r\n", plain: "a\nb\n\n" },
    { what: "both kinds", text: "a\nb\r\nc", plain: "a\nb\nc" },
    { what: "a carriage return before a line end of two", text: "a\r\r\nb", plain: "a\r\nb" },
    { what: "carriage returns alone", text: "a\rb\r", plain: "a\rb\r" },
    { what: "LF", text: "a\nb\n", plain: "a\nb\n" },
    { what: "no line end", text: "é", plain: "é" },
    { what: "nothing", text: "", plain: "" },
  ]
) {
  Deno.test(`textDigest() of a text with ${what} is that of the text with LF`, () => {
    const bytes = encoder.encode(text);
    assert.equal(textDigest(bytes), sha256(plain));
    assert.equal(withLineFeeds(text), plain);
    assert.equal(hasWindowsLineEnds(bytes), text !== plain);
    assert.deepEqual(bytes, encoder.encode(text), "the bytes stay as they are");
  });
}
