import assert from "node:assert/strict";
import { documentOf } from "../../../src/data/text/document_record.ts";
import { userError } from "../user_error.ts";

for (
  const { what, meta, domain } of [
    { what: "the Pile's name", meta: { pile_set_name: "Pile-CC" }, domain: "Pile-CC" },
    { what: "SlimPajama's name", meta: { redpajama_set_name: "RedPajamaC4" }, domain: "RedPajamaC4" },
    {
      what: "the name that is there",
      meta: { pile_set_name: null, redpajama_set_name: "RedPajamaC4", url: "x" },
      domain: "RedPajamaC4",
    },
    { what: "a name in JSON text", meta: '{"pile_set_name": "Books3"}', domain: "Books3" },
    { what: "no name in JSON text", meta: "null", domain: "default" },
    { what: "no name", meta: { url: "x" }, domain: "default" },
    { what: "an empty name", meta: { pile_set_name: "" }, domain: "default" },
    { what: "null", meta: null, domain: "default" },
    { what: "nothing", meta: undefined, domain: "default" },
  ]
) {
  Deno.test(`documentOf() gives the domain "${domain}" for a meta with ${what}`, () => {
    assert.deepEqual(documentOf({ text: "a", meta, more: 1 }, "row 1"), { domain, text: "a" });
  });
}

for (
  const [what, value, code, part] of [
    ["a list", [1], "MISSING_TEXT", "row 7 is no JSON object"],
    ["a number", 5, "MISSING_TEXT", "row 7 is no JSON object"],
    ["a text that is a number", { text: 5 }, "MISSING_TEXT", 'row 7 has no field "text" that holds text'],
    ["a domain that is a number", { text: "a", meta: { pile_set_name: 5 } }, "INVALID_META", '"meta.pile_set_name"'],
    ["half a surrogate pair", { text: "\ud83d" }, "NOT_UTF8", "row 7 has a lone surrogate"],
    ["half a surrogate pair in JSON text", { text: "a", meta: '{"pile_set_name": "\\ud83d"}' }, "NOT_UTF8", "row 7"],
  ] as const
) {
  Deno.test(`documentOf() refuses ${what}`, () => {
    assert.throws(() => documentOf(value, "row 7"), userError(code, part));
  });
}

for (
  const [what, value, document, oddity] of [
    ["text that is null", { text: null, meta: 5 }, undefined, "withoutText"],
    ["no text", { content: "a" }, undefined, "withoutText"],
    ["a meta that is a number", { text: "a", meta: 5 }, { domain: "default", text: "a" }, "otherMeta"],
    ["a meta that is a list", { text: "a", meta: ["pile_set_name"] }, { domain: "default", text: "a" }, "otherMeta"],
    ["a meta as Python prints it", { text: "a", meta: "{'a': 1}" }, { domain: "default", text: "a" }, "otherMeta"],
    ["a meta of text with a number", { text: "a", meta: "5" }, { domain: "default", text: "a" }, "otherMeta"],
    ["a meta of empty text", { text: "a", meta: "" }, { domain: "default", text: "a" }, "otherMeta"],
  ] as const
) {
  Deno.test(`documentOf() tells of ${what}, and refuses nothing`, () => {
    const told: string[] = [];
    assert.deepEqual(documentOf(value, "row 7", (oddity) => told.push(oddity)), document);
    assert.deepEqual(told, [oddity]);
  });
}
