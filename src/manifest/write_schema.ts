/** Writes schemas/manifest.schema.json anew: `deno run --allow-read --allow-write src/manifest/write_schema.ts`. */
import { writeFileDurably } from "../files/durable.ts";
import { manifestJsonSchema } from "./statement_schema.ts";

if (import.meta.main) {
  await writeFileDurably(
    decodeURIComponent(new URL("../../schemas/manifest.schema.json", import.meta.url).pathname),
    manifestJsonSchema(),
  );
}
