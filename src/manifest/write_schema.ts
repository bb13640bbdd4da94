/**
 * Writes the schemas in schemas/ and the table of members in docs/ anew:
 * `deno run --allow-read --allow-write src/manifest/write_schema.ts`.
 */
import { writeFileDurably } from "../files/durable.ts";
import { membersTable, topicsList } from "./members.ts";
import { PREDICATE_TYPES } from "./predicate.ts";
import { manifestJsonSchema, SCHEMA_FILES } from "./statement_schema.ts";

/** Where what is generated stands in the documentation. */
const MADE = [
  ["docs/manifest.md", "members", membersTable],
  ["docs/manifest.md", "topics", topicsList],
  ["docs/verification.md", "topics", topicsList],
] as const;

/** A page of the documentation with its generated parts as they are now; `path` from the project's folder. */
export function withGeneratedParts(path: string, text: string): string {
  return MADE.filter(([page]) => page === path).reduce((page, [, name, make]) => {
    const [start, end] = [`<!-- generated: ${name} -->\n`, `\n<!-- end of ${name} -->`];
    const [from, to] = [page.indexOf(start), page.indexOf(end)];
    if (from === -1 || to < from) throw new Error(`"${path}" has no place for "${name}"`);
    return `${page.slice(0, from + start.length)}\n${make()}\n${page.slice(to)}`;
  }, text);
}

if (import.meta.main) {
  for (const path of new Set(MADE.map(([page]) => page))) {
    const file = decodeURIComponent(new URL(`../../${path}`, import.meta.url).pathname);
    await writeFileDurably(file, withGeneratedParts(path, await Deno.readTextFile(file)));
  }
  for (const type of PREDICATE_TYPES) {
    const path = decodeURIComponent(new URL(`../../${SCHEMA_FILES[type]}`, import.meta.url).pathname);
    await writeFileDurably(path, manifestJsonSchema(type));
  }
}
