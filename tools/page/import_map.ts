/**
 * The import map by which the verifier's page is bundled: deno.json's own, and in the place of code that needs an operating
 * system what `src/page/platform` has for a browser. `deno task page` writes it before it bundles.
 */
import project from "../../deno.json" with { type: "json" };
import { writeFileDurably } from "../../src/files/durable.ts";
import substitutes from "../../src/page/substitutes.json" with { type: "json" };

/** Where it is written, and what it names files relative to. */
export const IMPORT_MAP = ".cache/page/import_map.json";

/** The import map's text. */
export function importMap(): string {
  const toRoot = "../../";
  const own = Object.entries(substitutes).map(([from, to]) => [
    from.startsWith("src/") ? toRoot + from : from,
    `${toRoot}src/page/platform/${to}`,
  ]);
  return `${JSON.stringify({ imports: { ...project.imports, ...Object.fromEntries(own) } }, null, 2)}\n`;
}

if (import.meta.main) await writeFileDurably(IMPORT_MAP, importMap());
