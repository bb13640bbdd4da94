/** The map of `src/` for docs/architecture.md, drawn from the imports as they are. */
import { type SourceFile, sourceFiles } from "./imports.ts";
import { INNER_STOREYS, type Room, STOREYS } from "./rooms.ts";

function isIn(path: string, { name }: Room): boolean {
  return path === `src/${name}` || path.startsWith(`src/${name}/`);
}

/** Rooms from the ground floor up, each with what it imports from. */
function mapOf(storeys: readonly (readonly Room[])[], files: readonly SourceFile[]): string {
  const rooms = storeys.flat();
  const roomOf = (path: string) => rooms.find((room) => isIn(path, room));
  const rows = storeys.flatMap((storey, index) =>
    storey.map((room) => {
      const own = files.filter(({ path }) => isIn(path, room));
      const used = new Set(own.flatMap(({ imports }) => imports).map((path) => roomOf(path)?.name));
      const names = rooms.map(({ name }) => name).filter((name) => used.has(name) && name !== room.name);
      const imported = names.map((name) => `\`${name}\``).join(", ") || "–";
      return `| ${index + 1} | \`${room.name}\` | ${room.purpose} | ${imported} |`;
    })
  );
  return [
    "| storey | room | what is in it | imports from |",
    "| --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}

/** The map of all rooms, and those of the rooms within a room. */
export async function architectureMaps(
  root: URL,
): Promise<Readonly<Record<"all" | keyof typeof INNER_STOREYS, string>>> {
  const files = await sourceFiles(root);
  const { experiment, train, manifest, report } = INNER_STOREYS;
  return {
    all: mapOf(STOREYS, files),
    experiment: mapOf(experiment, files),
    train: mapOf(train, files),
    manifest: mapOf(manifest, files),
    report: mapOf(report, files),
  };
}
