import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { parseStrictJson, StrictJsonError } from "../../src/text/strict_json.ts";

Deno.test("parseStrictJson() reads what JSON.parse reads, and the same", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 8 }), fc.constantFrom(0, 1, 2), (value, indent) => {
    const text = JSON.stringify(value, null, indent);
    let known: unknown;
    try {
      known = parseStrictJson(text);
    } catch (error) {
      assert.match(String(error), /lone surrogate/);
      return;
    }
    assert.deepEqual(known, JSON.parse(text));
  }));
});

Deno.test("parseStrictJson() keeps a key __proto__ a key like any other", () => {
  const value = parseStrictJson('{"__proto__":{"polluted":true},"a":1}');
  assert.deepEqual(Object.keys(value as object), ["__proto__", "a"]);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});

Deno.test("parseStrictJson() refuses what has more than one reading, or none", () => {
  const cases: [string, RegExp][] = [
    ['{"a":1,"a":2}', /The key "a" stands twice, at character 7/],
    ['{"a":1,"\\u0061":2}', /The key "a" stands twice/],
    ["9007199254740993", /beyond 2\^53/],
    ["9007199254740993.0", /beyond 2\^53/],
    ["-18446744073709551616", /beyond 2\^53/],
    ["1e21", /beyond 2\^53/],
    ["1e400", /too large/],
    ["-1e400", /too large/],
    ["1e-400", /too small/],
    ["-0", /negative zero/],
    ["-0.0e5", /negative zero/],
    ["0.".padEnd(60, "1"), /longer than 40 characters/],
    ['"\\ud800"', /lone surrogate/],
    ['"\\udc00\\ud800"', /lone surrogate/],
    ["[".repeat(33) + "]".repeat(33), /deeper than 32/],
    ["[".repeat(1_000_000), /deeper than 32/],
    ["", /ends too early/],
    ["[1", /ends too early/],
    ["[1,]", /not JSON/],
    ["[1 2]", /"," or "]" is expected/],
    ["{,}", /name is expected/],
    ['{"a"}', /":" is expected/],
    ["{a:1}", /name is expected/],
    ["01", /followed by something else/],
    ["+1", /not JSON/],
    [".5", /not JSON/],
    ["NaN", /not JSON/],
    ["tru", /not JSON/],
    ["1 2", /followed by something else/],
    ['"a', /does not end/],
    ['"\\', /does not end/],
    ['"\\x"', /not JSON/],
    ['"a\nb"', /control character/],
    ["\ufeff1", /not JSON/],
    ["// 1", /not JSON/],
  ];
  for (const [text, reason] of cases) {
    assert.throws(
      () => parseStrictJson(text),
      (error) => error instanceof StrictJsonError && reason.test(error.message),
      text.slice(0, 40),
    );
  }
  assert.throws(() => parseStrictJson(Uint8Array.of(0x22, 0xff, 0x22)), /not UTF-8/);
  assert.throws(() => parseStrictJson(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31)), /not JSON/);
  assert.throws(() => parseStrictJson("[1,2,3]", { depth: 2, values: 3 }), /more than 3 values/);
});

Deno.test("parseStrictJson() reads numbers beyond 2^53 as canonicalJson() writes them: a plan's FLOPs", () => {
  for (
    const value of [2 ** 53, 134576976244506620, -(2 ** 69), 1e21, 5.9288049651752e21, 5e-324, 1.7976931348623157e308]
  ) {
    assert.equal(parseStrictJson(canonicalJson(value)), value);
  }
});

Deno.test("parseStrictJson() reads megabytes of white space and digits without running out of stack", () => {
  assert.equal(parseStrictJson(`${" ".repeat(4_000_000)}1`), 1);
  assert.throws(() => parseStrictJson("1".repeat(4_000_000)), /longer than 40 characters/);
});

Deno.test("parseStrictJson() reads long strings without running out of stack", () => {
  const long = "a".repeat(8_000_000);
  assert.equal(parseStrictJson(`"${long}"`), long);
});

Deno.test("parseStrictJson() throws nothing but StrictJsonError, whatever it is given", () => {
  const noise = fc.array(fc.constantFrom(...'{}[]:,"\\u0e1-. tfn\ud800\n'), { maxLength: 30 }).map((parts) =>
    parts.join("")
  );
  fc.assert(
    fc.property(fc.oneof(noise, fc.string({ unit: "binary" })), (text) => {
      try {
        assert.deepEqual(parseStrictJson(text), JSON.parse(text));
      } catch (error) {
        assert.ok(error instanceof StrictJsonError, String(error));
      }
    }),
    { numRuns: 3000 },
  );
});
