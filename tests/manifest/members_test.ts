/** The table of members is held to the schema, to the steps of a verification, and to the documentation. */
import assert from "node:assert/strict";
import { type Member, MEMBERS, openTopics, type Topic, TOPICS } from "../../src/manifest/format/members.ts";
import { PREDICATE_TYPES } from "../../src/manifest/format/predicate.ts";
import { manifestJsonSchema } from "../../src/manifest/format/statement_schema.ts";
import { VERIFICATION_STEPS } from "../../src/manifest/verify/verification_report.ts";
import { withGeneratedParts } from "../../tools/generated_docs.ts";

interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
}

/** Every place in which a value stands that has no members of its own; none below places that are covered as a whole. */
function leavesOf(root: JsonSchema, isWhole: (path: string) => boolean): Set<string> {
  const leaves = new Set<string>();
  const walk = (schema: JsonSchema, path: string): void => {
    if (isWhole(path)) return void leaves.add(path);
    const { $ref, properties, items, additionalProperties, anyOf = [], oneOf = [], allOf = [] } = schema;
    const inner: [JsonSchema, string][] = [
      ...Object.entries(properties ?? {}).map((
        [name, member],
      ): [JsonSchema, string] => [member, path === "" ? name : `${path}.${name}`]),
      ...(items === undefined ? [] : [[items, `${path}[]`] as [JsonSchema, string]]),
      ...(typeof additionalProperties === "object"
        ? [[additionalProperties, `${path}{}`] as [JsonSchema, string]]
        : []),
      ...[...anyOf, ...oneOf, ...allOf].map((one): [JsonSchema, string] => [one, path]),
      ...($ref === undefined ? [] : [[definition(root, $ref), path] as [JsonSchema, string]]),
    ];
    if (inner.length === 0) leaves.add(path);
    for (const [member, place] of inner) walk(member, place);
  };
  walk(root, "");
  return leaves;
}

function definition(root: JsonSchema, reference: string): JsonSchema {
  const name = reference.replace("#/$defs/", "");
  return root.$defs?.[name] ?? assert.fail(`no ${reference}`);
}

const wholes = new Set(MEMBERS.filter(({ whole }) => whole === true).map(({ path }) => path));
const leaves = new Map(
  PREDICATE_TYPES.map((type) =>
    [type, leavesOf(JSON.parse(manifestJsonSchema(type)) as JsonSchema, (path) => wholes.has(path))] as const
  ),
);

Deno.test("MEMBERS has every member that the schema of any version has, once, and no other", () => {
  const stated = MEMBERS.map(({ path }) => path);
  assert.deepEqual(stated.filter((path, index) => stated.indexOf(path) !== index), []);
  const inSchemas = new Set([...leaves.values()].flatMap((paths) => [...paths]));
  assert(inSchemas.size > 70, `${inSchemas.size} members`);
  assert.deepEqual([...inSchemas].filter((path) => !stated.includes(path)), [], "in the schema, and not in the table");
  assert.deepEqual(stated.filter((path) => !inSchemas.has(path)), [], "in the table, and not in the schema");
});

Deno.test("leavesOf() finds a member that is added to the schema, wherever it stands", () => {
  const root = {
    properties: { a: { items: { anyOf: [{ $ref: "#/$defs/b" }] } } },
    $defs: { b: { properties: { c: {} } } },
  };
  assert.deepEqual([...leavesOf(root, () => false)], ["a[].c"]);
  const more = { ...root, $defs: { b: { properties: { c: {}, d: { additionalProperties: { items: {} } } } } } };
  assert.deepEqual([...leavesOf(more, () => false)], ["a[].c", "a[].d{}[]"]);
});

Deno.test("MEMBERS says of each member what checks it or what is left open, by steps and topics that there are", () => {
  const isSaid = ({ checked, open }: Member) => checked !== undefined || open !== undefined;
  assert.deepEqual(MEMBERS.filter((member) => !isSaid(member)), []);
  const steps = new Set(MEMBERS.flatMap(({ checked }) => checked?.[0] ?? []));
  assert.deepEqual([...steps].filter((step) => !VERIFICATION_STEPS.includes(step)), []);
  const topics = new Set(MEMBERS.flatMap(({ open }) => open ?? []));
  assert.deepEqual([...topics].sort(), Object.keys(TOPICS).sort());
});

Deno.test("openTopics() says every topic that a member of the version leaves open", () => {
  for (const [type, paths] of leaves) {
    const open = new Set(MEMBERS.filter(({ path }) => paths.has(path)).flatMap(({ open }) => open ?? []));
    const said = new Set(openTopics(type, false));
    assert.deepEqual([...open].filter((topic: Topic) => !said.has(`${TOPICS[topic]}.`)), [], type);
    assert.equal(said.size, open.size, type);
  }
});

for (const path of ["docs/manifest.md", "docs/verification.md"]) {
  Deno.test(`${path} has the table of members and the topics as they are`, () => {
    const text = Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url));
    assert.equal(
      text,
      withGeneratedParts(path, text),
      "run: deno task generate",
    );
  });
}
