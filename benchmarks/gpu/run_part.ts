/** One part from the outside: its process, its folder, and what became of it. */
import type { Part } from "./part.ts";
import { denoArguments, lastWords, runProgram } from "./processes.ts";
import { hasPassed, type PartResult } from "./results.ts";
import type { Settings } from "./settings.ts";
import type { Report } from "./worker.ts";

/**
 * Runs a part in a process of its own, and reads what it left, however it ended.
 *
 * @param seconds of its life, at most
 * @param log gets all that it prints
 */
export async function runPart(
  part: Part,
  settings: Settings,
  seconds: number,
  log: (text: string) => void,
): Promise<PartResult> {
  const startedAt = new Date().toISOString();
  const start = performance.now();
  const folder = `${settings.work}/parts/${part.name}`, file = `${settings.work}/parts/${part.name}.json`;
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.remove(file).catch(() => {});
  await Deno.mkdir(folder, { recursive: true });
  const module = new URL("worker.ts", import.meta.url);
  const args = [...denoArguments(module), part.name, JSON.stringify(settings), folder, file];
  const ended = await runProgram(Deno.execPath(), args, { seconds, onOutput: log, group: true });
  const report: Report = await Deno.readTextFile(file).then(JSON.parse, () => ({ done: false }));
  await Deno.remove(folder, { recursive: true });
  const { done, finding, skipped } = report;
  const common = {
    part: part.name,
    stage: part.stage,
    startedAt,
    seconds: (performance.now() - start) / 1000,
    ...(finding === undefined ? {} : { finding }),
  };
  if (skipped !== undefined) return { ...common, status: "skipped", detail: skipped };
  if (done && finding !== undefined) return { ...common, status: hasPassed(finding) ? "passed" : "failed" };
  return { ...common, status: "broken", detail: `${ended.how}\n${lastWords(ended.stderr)}`.trim() };
}

/** A part that is not run, with why. */
export function skipPart({ name, stage }: Part, detail: string): PartResult {
  return { part: name, stage, status: "skipped", startedAt: new Date().toISOString(), seconds: 0, detail };
}
