import assert from "node:assert/strict";
import fc from "fast-check";
import { printable } from "../../src/files/safe_name.ts";
import { codeSpan } from "../../src/text/markdown.ts";
import { HOSTILE_NAMES, htmlOf } from "../markdown.ts";

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** A reader shows exactly the text, as code, whatever it is. */
function assertShown(text: string): void {
  const shown = printable(text);
  const html = htmlOf(`- before ${codeSpan(text)} after`);
  const expected = shown.trim() === "" ? "(blank)" : `<code>${escaped(shown)}</code>`;
  assert.equal(html, `<ul>\n<li>before ${expected} after</li>\n</ul>`);
}

for (const name of HOSTILE_NAMES) {
  Deno.test(`codeSpan() leaves ${JSON.stringify(name)} a text`, () => assertShown(name));
}

Deno.test("codeSpan() leaves any text a text", () => {
  const marks = fc.string({ unit: fc.constantFrom(..."`<>[]()!@#$*_~\\|&: \nab"), maxLength: 40 });
  fc.assert(fc.property(fc.oneof(marks, fc.string({ unit: "grapheme" })), assertShown), { numRuns: 2000 });
});

Deno.test("codeSpan() cuts what is too long", () => {
  assert.equal(codeSpan("x".repeat(50), 10), `\`${"x".repeat(9)}…\``);
});
