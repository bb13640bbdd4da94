/** Writes the schemas in schemas/ anew: `deno run --allow-read --allow-write src/manifest/write_schema.ts`. */
import { writeFileDurably } from "../files/durable.ts";
import { PREDICATE_TYPES } from "./predicate.ts";
import { manifestJsonSchema, SCHEMA_FILES } from "./statement_schema.ts";

if (import.meta.main) {
  for (const type of PREDICATE_TYPES) {
    const path = decodeURIComponent(new URL(`../../${SCHEMA_FILES[type]}`, import.meta.url).pathname);
    await writeFileDurably(path, manifestJsonSchema(type));
  }
}
