import assert from "node:assert/strict";
import { PREDICATE_TYPES } from "../../src/manifest/predicate.ts";
import { manifestJsonSchema, SCHEMA_FILES } from "../../src/manifest/statement_schema.ts";

for (const type of PREDICATE_TYPES) {
  Deno.test(`${SCHEMA_FILES[type]} is the schema that the code checks by`, () => {
    const published = Deno.readTextFileSync(new URL(`../../${SCHEMA_FILES[type]}`, import.meta.url));
    assert.equal(
      published,
      manifestJsonSchema(type),
      "run: deno run --allow-read --allow-write src/manifest/write_schema.ts",
    );
  });
}
