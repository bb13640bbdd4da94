import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { UserError } from "../../src/errors.ts";
import { MAX_YAML_LENGTH, parseYaml, validate } from "../../src/text/yaml.ts";

/** The error that some use throws, which must be one for users. */
function userError(use: () => unknown): UserError {
  try {
    use();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error;
  }
  assert.fail("nothing was thrown");
}

Deno.test("parseYaml() reads plain data by the core schema", () => {
  const text = `
name: tiny # a comment with & and *x
rate: 3e-3
tokens: 50e9
steps: 1_464
arms: { "1%": [true, null, 'a & b *c'], 0.5x: "*quoted" }
text: |
  *not an alias
  &nor an anchor
also: 2 * 3 &4
`;
  assert.deepEqual(parseYaml(text, "a.yaml"), {
    name: "tiny",
    rate: 3e-3,
    tokens: 50e9,
    steps: 1464,
    arms: { "1%": [true, null, "a & b *c"], "0.5x": "*quoted" },
    text: "*not an alias\n&nor an anchor\n",
    also: "2 * 3 &4",
  });
});

Deno.test("parseYaml() reads what JSON.stringify() writes", () => {
  const plain = fc.jsonValue({ noUnicodeString: false }).filter((value) => !JSON.stringify(value).includes('"<<":'));
  fc.assert(fc.property(plain, (value) => {
    const text = JSON.stringify(value);
    assert.deepEqual(parseYaml(text, "a.json"), JSON.parse(text));
  }));
});

const BOMB = [
  'a: &a ["x","x","x","x","x","x","x","x","x"]',
  ..."bcdefgh".split("").map((name, i) => {
    const previous = "abcdefg"[i];
    return `${name}: &${name} [${Array(9).fill(`*${previous}`).join(",")}]`;
  }),
].join("\n");

const BAD: readonly (readonly [string, string, string, RegExp])[] = [
  ["an alias bomb", BOMB, "YAML_ALIAS", /^"a\.yaml" uses a YAML anchor or alias \("&" or "\*"\) in line 1: write the/],
  ["an alias of a scalar", "a: &x 1\nb: *x", "YAML_ALIAS", /line 1/],
  ["an anchor nobody uses", "a: 1\nb: &x 2", "YAML_ALIAS", /line 2/],
  ["an alias of nothing", "a: 1\nb: *x", "YAML_ALIAS", /line 2/],
  ["an alias as a key", "? *x\n: 1", "YAML_ALIAS", /line 1/],
  ["an alias in a flow list", "a: [1,*x]", "YAML_ALIAS", /line 1/],
  ["a merge key", "a:\n  <<: { b: 1 }", "YAML_ALIAS", /^"a\.yaml": a uses a YAML merge key \("<<"\): write the values/],
  ["a duplicate key", "a: 1\nb: 2\na: 3\nc: 4", "YAML_SYNTAX", /in line [34], column \d+: .*duplicated key/],
  ["a nested duplicate key", "a: { b: 1, b: 2 }", "YAML_SYNTAX", /line 1.*duplicated key/],
  ["an open list", "a: [1, 2", "YAML_SYNTAX", /"a\.yaml" is not valid YAML in line \d/],
  ["bad indentation", "a: 1\n  b: 2\n c: 3", "YAML_SYNTAX", /line 2/],
  ["two documents", "a: 1\n---\nb: 2", "YAML_SYNTAX", /more than 1 document/],
  ["a foreign tag", "a: !!js/function 'x'", "YAML_SYNTAX", /unknown tag/],
  ["not a number", "a:\n  - 1\n  - .nan", "YAML_NUMBER", /^"a\.yaml": a\[1\] is NaN, expected a finite number$/],
  ["infinity", 'b: { "1%": -.inf }', "YAML_NUMBER", /b\["1%"\] is -Infinity/],
  ["an overflowing number", "a: 1e999", "YAML_NUMBER", /a is Infinity/],
  ["bottomless nesting", "[".repeat(200_000), "YAML_SYNTAX", /^"a\.yaml" is nested too deeply/],
  ["a huge document", "a".repeat(MAX_YAML_LENGTH + 1), "YAML_TOO_LARGE", /has 1000001 characters, but at most 1000000/],
];

for (const [what, text, code, message] of BAD) {
  Deno.test(`parseYaml() throws when the document has ${what}`, () => {
    const error = userError(() => parseYaml(text, "a.yaml"));
    assert.equal(error.code, code);
    assert.match(error.message, message);
  });
}

Deno.test("parseYaml() refuses an alias bomb before it is expanded", () => {
  const levels = Array.from({ length: 5000 }, (_, i) => `l${i + 1}: &l${i + 1} [*l${i}, *l${i}]`);
  const error = userError(() => parseYaml(["l0: &l0 [x]", ...levels].join("\n"), "a.yaml"));
  assert.equal(error.code, "YAML_ALIAS");
});

const SCHEMA = z.strictObject({
  arms: z.record(
    z.string().regex(/^[a-z0-9%]+$/),
    z.strictObject({ percent: z.number().min(0).max(100), kind: z.enum(["paper", "cosine"]) }),
  ),
  steps: z.int().min(1).multipleOf(8).optional(),
  list: z.array(z.strictObject({ name: z.string().regex(/^[a-z]+$/) })).max(2).default([]),
  start: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("random") }),
    z.strictObject({ kind: z.literal("pretrained"), step: z.int() }),
  ]).optional(),
});

Deno.test("validate() gives the checked value with its defaults", () => {
  const value = { arms: { "1%": { percent: 1, kind: "paper" } } };
  assert.deepEqual(validate(SCHEMA, value, "a.yaml"), { ...value, list: [] });
});

const INVALID: readonly (readonly [unknown, string])[] = [
  [null, '"a.yaml": the document is empty, expected a mapping'],
  [{}, '"a.yaml": arms is missing, expected a mapping'],
  [{ arms: [] }, '"a.yaml": arms is a list of 0, expected a mapping'],
  [
    { arms: { "1%": { percent: "one", kind: "paper" } } },
    '"a.yaml": arms["1%"].percent is "one", expected a number',
  ],
  [
    { arms: { a: { percent: 101, kind: "paper" } } },
    '"a.yaml": arms.a.percent is 101, expected a number of at most 100',
  ],
  [
    { arms: { a: { percent: 1, kind: "papr" } } },
    '"a.yaml": arms.a.kind is "papr": did you mean "paper"? (known: paper, cosine)',
  ],
  [
    { arms: { a: { percent: 1, percnt: 2, kind: "paper" } } },
    '"a.yaml": unknown key arms.a.percnt: did you mean "percent"? (known: percent, kind)',
  ],
  [{ arms: {}, stps: 8 }, '"a.yaml": unknown key stps: did you mean "steps"? (known: arms, steps, list, start)'],
  [{ arms: {}, steps: 12 }, '"a.yaml": steps is 12, expected a multiple of 8'],
  [{ arms: {}, steps: 0.5 }, '"a.yaml": steps is 0.5, expected a whole number'],
  [{ arms: {}, list: [{ name: "A" }] }, '"a.yaml": list[0].name is "A", expected text that matches /^[a-z]+$/'],
  [
    { arms: {}, list: [{ name: "a", nme: "" }] },
    '"a.yaml": unknown key list[0].nme: did you mean "name"? (known: name)',
  ],
  [
    { arms: {}, list: [{ name: "a" }, { name: "b" }, { name: "c" }] },
    '"a.yaml": list is a list of 3, expected at most 2 entries',
  ],
  [
    { arms: {}, start: { kind: "randm" } },
    '"a.yaml": start.kind is "randm": did you mean "random"? (known: random, pretrained)',
  ],
  [{ arms: {}, start: {} }, '"a.yaml": start.kind is missing, expected one of "random", "pretrained"'],
  [
    { arms: { "A b": {} } },
    '"a.yaml": the key of arms["A b"] is not valid, expected text that matches /^[a-z0-9%]+$/',
  ],
  [{ arms: {}, start: { kind: "random", step: 1 } }, '"a.yaml": unknown key start.step: remove it'],
  [
    { arms: {}, steps: "x", list: 1 },
    '"a.yaml": steps is "x", expected a number\n"a.yaml": list is 1, expected a list',
  ],
  [{ arms: {}, steps: "y".repeat(100) }, `"a.yaml": steps is "${"y".repeat(56)}…", expected a number`],
];

for (const [value, message] of INVALID) {
  Deno.test(`validate() names file, path, value and expectation when given ${JSON.stringify(value).slice(0, 70)}`, () => {
    const error = userError(() => validate(SCHEMA, value, "a.yaml"));
    assert.equal(error.code, "INVALID_FIELD");
    assert.equal(error.message, message);
  });
}

Deno.test("validate() refuses the key __proto__ wherever a schema leaves names free, and takes constructor", () => {
  const schema = z.strictObject({ arms: z.record(z.string(), z.unknown()) });
  const good = parseYaml("arms: { constructor: 1, prototype: 2, toString: { valueOf: 3 } }", "a.yaml");
  assert.deepEqual(validate(schema, good, "a.yaml"), good);
  for (
    const [text, place] of [
      ["arms: { __proto__: 1 }", "arms.__proto__"],
      ["arms:\n  a: [{ __proto__: { b: 1 } }]", "arms.a[0].__proto__"],
    ] as const
  ) {
    assert.throws(() => validate(schema, parseYaml(text, "a.yaml"), "a.yaml"), {
      code: "INVALID_FIELD",
      message: `"a.yaml": unknown key ${place}: choose another name`,
    });
  }
  assert.throws(
    () => validate(schema, parseYaml("arms: {}\n__proto__: 1", "a.yaml"), "a.yaml"),
    /unknown key __proto__/,
  );
});
