/** Runs one part: `worker.ts PART SETTINGS FOLDER FILE`. What it finds goes to the file, also on the way. */
import type { Finding } from "./results.ts";
import { Skipped } from "./part.ts";
import { PARTS } from "./parts.ts";
import { parseSettings } from "./settings.ts";

/** What the file holds. */
export interface Report {
  /** false while the part runs */
  readonly done: boolean;
  readonly finding?: Finding;
  /** why the part was not done */
  readonly skipped?: string;
}

function write(path: string, report: Report): void {
  Deno.writeTextFileSync(`${path}.new`, JSON.stringify(report));
  Deno.renameSync(`${path}.new`, path);
}

if (import.meta.main) {
  const [name, settings = "", folder = "", file = ""] = Deno.args;
  const part = PARTS.find((candidate) => candidate.name === name);
  if (part === undefined) throw new Error(`There is no part "${name}"`);
  const keep = (finding: Finding) => write(file, { done: false, finding });
  try {
    write(file, { done: true, finding: await part.run({ settings: parseSettings(settings), folder, keep }) });
  } catch (error) {
    if (!(error instanceof Skipped)) throw error;
    write(file, { done: true, skipped: error.message });
  }
}
