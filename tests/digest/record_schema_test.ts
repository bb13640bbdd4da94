import assert from "node:assert/strict";
import { z } from "zod";
import { ownMember } from "../../src/digest/own_member.ts";
import { recordSchema } from "../../src/digest/record_schema.ts";
import { parseStrictJson } from "../../src/text/strict_json.ts";

const schema = recordSchema(z.string().min(1).max(20), z.string());

Deno.test("recordSchema() refuses the name __proto__, which zod's own record leaves out without a word", () => {
  const value = parseStrictJson('{"a":"b","__proto__":"c"}');
  assert.deepEqual(z.record(z.string(), z.string()).parse(value), { a: "b" });
  const { error } = schema.safeParse(value);
  assert.deepEqual(error?.issues.map(({ message }) => message), ['no member named "__proto__"']);
  assert.ok(!schema.safeParse(parseStrictJson('{"__proto__":{}}')).success);
});

Deno.test("recordSchema() takes every other name for data", () => {
  const value = parseStrictJson('{"constructor":"a","prototype":"b","toString":"c","hasOwnProperty":"d","":"e"}');
  assert.match(String(schema.safeParse(value).error), /Too small|Invalid key/);
  const { "": _, ...named } = value as Record<string, string>;
  assert.deepEqual(schema.parse(named), named);
  for (const other of [null, [], "text", 1]) assert.ok(!schema.safeParse(other).success);
  assert.deepEqual(schema.parse({}), {});
});

Deno.test("ownMember() finds what the object itself has, and nothing that it inherits", () => {
  const members: Record<string, string> = { a: "1", toString: "2" };
  assert.deepEqual(["a", "toString", "b"].map((name) => ownMember(members, name)), ["1", "2", undefined]);
  for (const name of ["constructor", "valueOf", "__proto__", "hasOwnProperty"]) {
    assert.equal(ownMember(members, name), undefined, name);
  }
});
