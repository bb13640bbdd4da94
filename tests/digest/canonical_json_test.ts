/** Canonical JSON, with RFC 8785's own example, and what becomes of members that are undefined. */
import fc from "fast-check";
import assert from "node:assert/strict";
import { canonicalJson } from "../../src/digest/canonical_json.ts";

Deno.test("canonicalJson() gives the text of RFC 8785 §3.2.4", () => {
  const value: unknown = JSON.parse(String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`);
  const text = String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],` +
    String.raw`"string":"€$\u000f\nA'B\"\\\\\"/"}`;
  assert.equal(canonicalJson(value), text);
});

Deno.test("canonicalJson() sorts keys by UTF-16 code units, as RFC 8785 §3.2.3 does", () => {
  const keys = ["\u20ac", "\r", "\ufb33", "1", "\ud83d\ude00", "\u0080", "\u00f6"];
  const sorted = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\ud83d\ude00", "\ufb33"];
  const text = canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])));
  assert.equal(text, `{${sorted.map((key) => `${JSON.stringify(key)}:0`).join(",")}}`);
});

Deno.test("canonicalJson() takes a member that is undefined for one that is absent", () => {
  assert.equal(canonicalJson({ b: undefined, a: { c: undefined }, d: [{ e: undefined }] }), '{"a":{},"d":[{}]}');
  fc.assert(fc.property(fc.jsonValue(), fc.array(fc.string()), (value, names) => {
    assert.equal(canonicalJson(withUndefined(value, names)), canonicalJson(value));
  }));
});

Deno.test("canonicalJson() refuses undefined anywhere else, and what else JSON cannot hold", () => {
  for (const value of [undefined, [undefined], { a: [1, undefined] }, NaN, { a: Infinity }, "\ud800", 1n, () => 1]) {
    assert.throws(() => canonicalJson(value), TypeError);
  }
});

/** The value with undefined members in every object, under names that it does not use. */
function withUndefined(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => withUndefined(item, names));
  const members = Object.entries(value).map(([name, member]) => [name, withUndefined(member, names)]);
  const further = names.filter((name) => !Object.hasOwn(value, name)).map((name) => [name, undefined]);
  return Object.fromEntries([...further, ...members]);
}
