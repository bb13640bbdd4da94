import assert from "node:assert/strict";
import { manifestJsonSchema } from "../../src/manifest/statement_schema.ts";

Deno.test("schemas/manifest.schema.json is the schema that the code checks by", () => {
  const published = Deno.readTextFileSync(new URL("../../schemas/manifest.schema.json", import.meta.url));
  assert.equal(
    published,
    manifestJsonSchema(),
    "run: deno run --allow-read --allow-write src/manifest/write_schema.ts",
  );
});
