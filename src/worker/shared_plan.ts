/** The plan of an output folder that many processes share: it is written once, and read by all others. */
import { hasCode, suggest, UserError } from "../errors.ts";
import type { Plan } from "../experiment/plan/plan.ts";
import { planFromJson } from "../experiment/plan/plan_json.ts";
import type { PlannedRun } from "../experiment/run/run.ts";
import type { FileSystem } from "../files/file_system.ts";
import { PLAN_FILE } from "../files/output_lock.ts";
import { readFileBounded } from "../files/read_file.ts";

/** `plan.json` is not read beyond this size, in bytes. */
const MAX_PLAN_BYTES = 64 << 20;

/**
 * Reads the plan that somebody wrote into an output folder.
 *
 * @throws {UserError} `NO_PLAN` if there is none; `PLAN_DAMAGED` if this version cannot read it, which another may have
 * written
 */
export async function readSharedPlan(output: string, files?: FileSystem): Promise<Plan> {
  const path = `${output}/${PLAN_FILE}`;
  let text: string;
  try {
    text = new TextDecoder().decode(await readFileBounded(path, MAX_PLAN_BYTES, files));
  } catch (error) {
    if (!hasCode(error, "FILE_NOT_FOUND")) throw error;
    throw new UserError(
      "NO_PLAN",
      `"${output}" has no ${PLAN_FILE}`,
      "write it once, with deno task reproduce --plan-only --out DIR and all that determines it, or correct the path",
      { cause: error },
    );
  }
  try {
    return planFromJson(JSON.parse(text), path);
  } catch (error) {
    if (!(error instanceof SyntaxError || hasCode(error, "INVALID_FIELD", "PLAN_DAMAGED"))) throw error;
    throw new UserError(
      "PLAN_DAMAGED",
      `This version cannot read the plan "${path}": ${error.message}`,
      "use the version of rewarm that wrote it, or plan into another folder; a plan is not to be edited",
      { cause: error },
    );
  }
}

/** Digits of a key that name a run. */
const LEAST_DIGITS = 8;

/**
 * The run that a label names, or the first digits of a key.
 *
 * @throws {UserError} `UNKNOWN_RUN` with the nearest label
 */
export function namedRun({ runs }: Plan, name: string): PlannedRun {
  const isKey = new RegExp(`^[0-9a-f]{${LEAST_DIGITS},64}$`).test(name);
  const found = runs.find(({ label }) => label === name) ??
    (isKey ? onlyOne(runs.filter(({ key }) => key.startsWith(name))) : undefined);
  if (found !== undefined) return found;
  throw new UserError(
    "UNKNOWN_RUN",
    `The plan has no run "${name}"`,
    `${suggest(name, runs.map(({ label }) => label))}; a label, or ${LEAST_DIGITS} digits of a key`,
  );
}

function onlyOne<T>([first, second]: readonly T[]): T | undefined {
  return second === undefined ? first : undefined;
}
