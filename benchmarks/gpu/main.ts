/**
 * Correctness and speed on a GPU: runs parts one after the other, each in a process of its own, and writes what they
 * find into one JSON file, part by part. See docs/benchmarks.md; on a machine without network by run.sh.
 */
import { type Options, parseCommandLine } from "../../src/cli/arguments.ts";
import { EXIT } from "../../src/errors.ts";
import { runProgram } from "../run_program.ts";
import { examinePython, MISSING } from "./machine.ts";
import type { Part } from "./part.ts";
import { chooseParts, ENVIRONMENT } from "./parts.ts";
import { MFU_FORMULA } from "./peaks.ts";
import { killGroups } from "./processes.ts";
import { asText, overview, partTables } from "./report_tables.ts";
import { type PartResult, type Results, RESULTS_FORMAT, withPart, writeResults } from "./results.ts";
import { readRevision } from "./revision.ts";
import { runPart, skipPart } from "./run_part.ts";
import type { Settings } from "./settings.ts";
import { rehearsalStandIn } from "./stand_ins.ts";

const OPTIONS = {
  output: { kind: "text", value: "FILE", help: "where the results go (default: .cache/gpu/results.json)" },
  limit: { kind: "count", value: "SECONDS", help: "time for everything; what is left then is skipped (default: 570)" },
  python: { kind: "text", value: "PATH", help: "interpreter that has PyTorch (default: python3)" },
  "cuda-lib": { kind: "list", value: "DIR…", help: "folders to look for NVIDIA's libraries in first" },
  rehearsal: { kind: "flag", help: "tiny shapes on the CPU stand-in, to see that everything runs" },
  list: { kind: "flag", help: "say what there is, and run nothing" },
} as const satisfies Options;

/** A part is not begun with less time left, in seconds. */
const LEAST_SECONDS = 10;

function list(parts: readonly Part[]): string {
  return asText({
    title: `${parts.length} parts`,
    words: true,
    header: ["part", "stage", "at most", "what"],
    rows: parts.map(({ name, stage, seconds, summary }) => [name, stage, `${seconds} s`, summary]),
  });
}

/** The GPU's name, as nvidia-smi or the driver has it, or why there is none. */
function findDevice({ finding }: PartResult): { readonly name: string } | { readonly missing: string } {
  if (finding?.kind !== "facts") return { name: "unknown" };
  const seen = finding.facts["rewarm: GPU"] ?? "";
  if (seen.startsWith(MISSING)) return { missing: seen.slice(MISSING.length) };
  return { name: finding.facts["GPU"] ?? seen.split(",")[0] ?? "unknown" };
}

async function settingsOf(
  values: { rehearsal?: true; python?: string; "cuda-lib"?: readonly string[] },
): Promise<Settings> {
  const { rehearsal = false, python = "python3", "cuda-lib": given = [] } = values;
  // A rehearsal keeps to itself: nothing that a GPU compiled is replaced.
  const work = rehearsal ? ".cache/gpu_rehearsal" : ".cache/gpu";
  await Deno.mkdir(work, { recursive: true });
  const libraryFolders = rehearsal
    ? [await rehearsalStandIn(work)]
    : [...given, ...(await examinePython(python)).libraryFolders];
  return { rehearsal, python, libraryFolders, work };
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, OPTIONS, Infinity);
  const parts = chooseParts(positionals);
  if (values.list === true) {
    console.log(list(parts));
    return EXIT.ok;
  }
  const { output = ".cache/gpu/results.json", limit = 570 } = values;
  const start = performance.now();
  const settings = await settingsOf(values);
  const log = await Deno.open(output.replace(/(\.json)?$/, ".log"), { write: true, create: true, truncate: true });
  const write = (text: string) => void log.writeSync(new TextEncoder().encode(text));
  let results: Results = {
    format: RESULTS_FORMAT,
    rehearsal: settings.rehearsal,
    device: "unknown",
    ...await readRevision(),
    parts: [],
  };
  let noDevice: string | undefined;
  for (const [i, part] of parts.entries()) {
    console.log(`\n[${i + 1}/${parts.length}] ${part.name}: ${part.summary}`);
    write(`\n==== ${part.name}\n`);
    const left = limit - (performance.now() - start) / 1000;
    const reason = left < LEAST_SECONDS
      ? `no time was left of ${limit} s`
      : part.needsNoGpu === true
      ? undefined
      : noDevice;
    const result = reason === undefined
      ? await runPart(part, settings, Math.min(part.seconds, left), write)
      : skipPart(part, reason);
    if (part === ENVIRONMENT) {
      const device = findDevice(result);
      if ("name" in device) results = { ...results, device: device.name };
      else noDevice = device.missing;
    }
    results = withPart(results, result);
    await writeResults(output, results);
    for (const table of partTables(result, results)) console.log(`\n${asText(table)}`);
    if (result.status !== "passed") console.log(`\n${result.status.toUpperCase()}: ${result.detail ?? ""}`);
  }
  log.close();
  console.log(`\n${asText(overview(results))}\n\nMFU = ${MFU_FORMULA}\nresults: ${output}`);
  return results.parts.some(({ status }) => status === "failed" || status === "broken") ? EXIT.failed : EXIT.ok;
}

if (import.meta.main) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      killGroups();
      Deno.exit(EXIT.interrupted);
    });
  }
  await runProgram(main);
}
