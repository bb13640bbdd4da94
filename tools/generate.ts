/**
 * Writes what follows from the code and the experiments: JSON Schemas of the manifest, the YAML files and what commands print; costs
 * at the head of each scale, and tables in the documentation. `deno task generate` writes, `deno task generate --check` fails on what is out of date.
 */
import { PAPER_SECTIONS, scaleWithCosts } from "./scale_costs.ts";
import { EXPERIMENTS_FOLDER, listScales, loadExperiments } from "../src/experiment/catalogue.ts";
import { writeFileDurably } from "../src/files/durable.ts";
import { PREDICATE_TYPES } from "../src/manifest/format/predicate.ts";
import { manifestJsonSchema, SCHEMA_FILES } from "../src/manifest/format/statement_schema.ts";
import { GENERATED_PAGES, withGeneratedParts } from "./generated_docs.ts";
import { jsonSchemas } from "./json_schemas.ts";

const ROOT = new URL("../", import.meta.url);

/** Every generated file, relative to the repository, with its text. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const files = new Map([
    ...PREDICATE_TYPES.map((type) => [SCHEMA_FILES[type], manifestJsonSchema(type)] as const),
    ...jsonSchemas(),
  ]);
  const papers = (await loadExperiments()).filter(PAPER_SECTIONS).map(({ name }) => name);
  for (const scale of await listScales()) {
    const text = await Deno.readTextFile(new URL(`scales/${scale}.yaml`, EXPERIMENTS_FOLDER));
    files.set(`experiments/scales/${scale}.yaml`, await scaleWithCosts(scale, text, papers));
  }
  for (const page of GENERATED_PAGES) {
    files.set(page, withGeneratedParts(page, await Deno.readTextFile(new URL(page, ROOT))));
  }
  return files;
}

/** Names of generated files whose text is not what the code gives. */
export async function outdatedFiles(): Promise<string[]> {
  const outdated: string[] = [];
  for (const [name, text] of await generatedFiles()) {
    const found = await Deno.readTextFile(new URL(name, ROOT)).catch((error: unknown) => {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    });
    if (found !== text) outdated.push(name);
  }
  return outdated;
}

if (import.meta.main) {
  const outdated = await outdatedFiles();
  if (Deno.args.includes("--check")) {
    for (const name of outdated) console.error(`${name} is out of date: run "deno task generate"`);
    Deno.exitCode = outdated.length === 0 ? 0 : 1;
  } else {
    const files = await generatedFiles();
    for (const name of outdated) {
      await writeFileDurably(decodeURIComponent(new URL(name, ROOT).pathname), files.get(name) ?? "");
      console.log(`wrote ${name}`);
    }
    if (outdated.length === 0) console.log("everything is up to date");
  }
}
