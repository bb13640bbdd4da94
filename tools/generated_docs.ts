/** Parts of the documentation that follow from the code. */
import { membersTable, topicsList } from "../src/manifest/format/members.ts";
import { architectureMaps } from "./architecture_map.ts";
import { criteriaTable } from "./criteria_table.ts";
import { earlierRulesTable, estimatesTable, parametersTable, rulesTable, schedulesTable } from "./variant_tables.ts";

const MAPS = await architectureMaps(new URL("../", import.meta.url));

/** Where what is generated stands in the documentation. */
const PARTS = [
  ["docs/claims.md", "rules", rulesTable],
  ["docs/claims.md", "earlier rules", earlierRulesTable],
  ["docs/claims.md", "estimates", estimatesTable],
  ["docs/experiments.md", "schedules", schedulesTable],
  ["docs/experiments.md", "schedule parameters", parametersTable],
  ["docs/architecture.md", "rooms", () => MAPS.all],
  ["docs/architecture.md", "experiment", () => MAPS.experiment],
  ["docs/architecture.md", "train", () => MAPS.train],
  ["docs/architecture.md", "manifest", () => MAPS.manifest],
  ["docs/architecture.md", "report", () => MAPS.report],
  ["docs/manifest.md", "members", membersTable],
  ["docs/manifest.md", "topics", topicsList],
  ["docs/scales.md", "criteria", criteriaTable],
  ["docs/verification.md", "topics", topicsList],
] as const;

/** Pages with generated parts. */
export const GENERATED_PAGES: readonly string[] = [...new Set(PARTS.map(([page]) => page))];

/**
 * A page of the documentation with its generated parts as they are now.
 *
 * @param path from the project's folder
 */
export function withGeneratedParts(path: string, text: string): string {
  return PARTS.filter(([page]) => page === path).reduce((page, [, name, make]) => {
    const [start, end] = [`<!-- generated: ${name} -->\n`, `\n<!-- end of ${name} -->`];
    const [from, to] = [page.indexOf(start), page.indexOf(end)];
    if (from === -1 || to < from) throw new Error(`"${path}" has no place for "${name}"`);
    return `${page.slice(0, from + start.length)}\n${make()}\n${page.slice(to)}`;
  }, text);
}
