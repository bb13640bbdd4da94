/** The machine that numbers belong to: GPU, driver, clocks, libraries, programs. */
import { cpus, release } from "node:os";
import { z } from "zod";
import { examineCuda } from "../../src/engine/cuda/driver/examine.ts";
import { ORDERED_FLAGS } from "../../src/engine/cuda/ordered/engine.ts";
import { readKernelUnit } from "../../src/engine/cuda/kernel_source.ts";
import { MIXED_FLAGS, mixedKernelChoice } from "../../src/engine/cuda/mixed/specialization.ts";
import { askProgram, runProgram } from "./processes.ts";
import { engineOptions, type Settings } from "./settings.ts";
import { modelOf } from "./task.ts";
import { pythonProgram } from "./python.ts";

const pythonSchema = z.strictObject({
  versions: z.record(z.string(), z.string()),
  libraryFolders: z.array(z.string()),
});

/** What an interpreter has; nothing if there is none. */
export async function examinePython(python: string): Promise<z.infer<typeof pythonSchema>> {
  const answer = await askProgram(python, pythonProgram("versions.py"));
  return answer === undefined ? { versions: {}, libraryFolders: [] } : pythonSchema.parse(JSON.parse(answer));
}

/** What nvidia-smi is asked, and what the results call it. */
const QUERIES: Readonly<Record<string, string>> = {
  name: "GPU",
  driver_version: "driver",
  "memory.total": "memory",
  "clocks.current.sm": "SM clock now",
  "clocks.max.sm": "SM clock, most",
  "clocks.current.memory": "memory clock now",
  "clocks.max.memory": "memory clock, most",
  "power.limit": "power limit",
  "power.draw": "power now",
  "temperature.gpu": "temperature, °C",
  "ecc.mode.current": "ECC",
  "mig.mode.current": "MIG",
  "persistence_mode": "persistence mode",
};

async function query(names: readonly string[]): Promise<readonly string[] | undefined> {
  const answer = await askProgram("nvidia-smi", "--id=0", `--query-gpu=${names.join()}`, "--format=csv,noheader");
  return answer?.split(", ");
}

/** What nvidia-smi says of the first GPU; nothing where it is missing. */
async function managementFacts(): Promise<Record<string, string>> {
  const names = Object.keys(QUERIES);
  let answers = await query(names);
  if (answers === undefined && await query(["name"]) !== undefined) {
    // A driver that does not know one of them answers none; alone it answers the others.
    answers = [];
    for (const name of names) answers = [...answers, (await query([name]))?.[0] ?? ""];
  }
  const facts = names.map((name, i) => [QUERIES[name] ?? name, answers?.[i] ?? ""] as const);
  return Object.fromEntries(facts.filter(([, answer]) => answer !== ""));
}

/** The line of a program's version that has a number in it. */
async function versionOf(program: string): Promise<string | undefined> {
  try {
    const { success, stdout } = await runProgram(program, ["--version"], { seconds: 30 });
    return success ? stdout.split("\n").findLast((line) => /\d+\.\d+/.test(line))?.trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** What a fact begins with whose part of the machine is not there. */
export const MISSING = "missing: ";

/** Everything that a number measured here may depend on. */
export async function machineFacts(settings: Settings): Promise<Record<string, string>> {
  const { python, rehearsal } = settings;
  const facts = await managementFacts();
  facts["system"] = `${Deno.build.os} ${release()} ${Deno.build.arch}`;
  facts["processor"] = `${cpus()[0]?.model.trim() ?? "unknown"}, ${navigator.hardwareConcurrency} cores`;
  facts["Deno"] = `${Deno.version.deno}, V8 ${Deno.version.v8}`;
  Object.assign(facts, (await examinePython(python)).versions);
  for (const program of ["nvcc", "g++"]) {
    const version = await versionOf(program);
    if (version !== undefined) facts[program] = version;
  }
  const mixed = mixedKernelChoice(modelOf("pythia-410m", rehearsal), "bf16");
  const kernels = [
    { name: "ordered", source: (await readKernelUnit("ordered")).text, flags: ORDERED_FLAGS },
    { name: "mixed", source: (await readKernelUnit(mixed)).text, flags: MIXED_FLAGS },
  ];
  for (const { name, good, detail } of await examineCuda({ ...engineOptions(settings), kernels })) {
    facts[`rewarm: ${name}`] = good ? detail : MISSING + detail;
  }
  return facts;
}
