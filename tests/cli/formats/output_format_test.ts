import assert from "node:assert/strict";
import { outputFormat } from "../../../src/cli/formats/output_format.ts";

Deno.test("outputFormat() is text unless told otherwise, and takes --json for --format json", () => {
  assert.equal(outputFormat({}), "text");
  assert.equal(outputFormat({ json: true }), "json");
  assert.equal(outputFormat({ json: true, format: "json" }), "json");
  assert.equal(outputFormat({ format: "markdown" }), "markdown");
});

Deno.test("outputFormat() refuses formats that there are not, and two at once", () => {
  assert.throws(() => outputFormat({ format: "markdwn" }), {
    code: "UNKNOWN_ARGUMENT",
    message: /"markdwn".*did you mean "markdown"/,
  });
  assert.throws(() => outputFormat({ format: "toString" }), { code: "UNKNOWN_ARGUMENT" });
  assert.throws(() => outputFormat({ json: true, format: "text" }), { code: "TWO_CHOICES" });
});
