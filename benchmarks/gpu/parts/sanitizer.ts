/** NVIDIA's compute-sanitizer over a step: addresses, races, barriers. */
import { callChild, childCommand } from "../call_child.ts";
import { trueCheck } from "../checks.ts";
import type { TrainingArguments } from "../child.ts";
import { type EngineName, ENGINES } from "../engines.ts";
import { type Part, type PartContext, Skipped } from "../part.ts";
import { askProgram, runProgram, tail } from "../processes.ts";
import type { Check, Finding } from "../results.ts";

/** Where it is if not on the path. */
const PLACES = ["compute-sanitizer", "/usr/local/cuda/bin/compute-sanitizer"];
const TOOLS = ["memcheck", "racecheck", "synccheck"] as const;
/** What it returns when it found something; not a code that Deno uses. */
const FOUND = 86;

async function findSanitizer({ settings, folder }: PartContext): Promise<string> {
  if (settings.rehearsal) return await rehearsedSanitizer(folder);
  for (const program of PLACES) if (await askProgram(program, "--version") !== undefined) return program;
  throw new Skipped("compute-sanitizer is not on this machine");
}

/** A program that is called like the sanitizer and runs what it is given. */
async function rehearsedSanitizer(folder: string): Promise<string> {
  const program = `${folder}/compute-sanitizer`;
  const script =
    `#!/bin/sh\nwhile [ "\${1#--}" != "$1" ]; do shift; shift; done\n"$@" && echo "ERROR SUMMARY: 0 errors"\n`;
  await Deno.writeTextFile(program, script, { mode: 0o755 });
  return program;
}

/** Two steps of a model of one layer with Pythia's heads: all kernels, few blocks, since every access is watched. */
async function sanitized(engine: EngineName, context: PartContext): Promise<Finding> {
  const program = await findSanitizer(context);
  const { settings, keep } = context;
  const task: TrainingArguments = {
    ...{ engine, size: "pythia-70m", from: 0, to: 2, batchSequences: 2, microBatchSequences: 1 },
    shape: { hiddenSize: 128, heads: 2, intermediateSize: 512, layers: 1, vocabularySize: 512, sequenceLength: 192 },
  };
  // Kernels are compiled and kept here: the sanitizer then sees little but the GPU's work.
  await callChild("train", settings, task, 60);
  const command = childCommand("train", settings, task);
  const checks: Check[] = [];
  for (const tool of TOOLS) {
    const args = ["--tool", tool, "--error-exitcode", String(FOUND), "--target-processes", "all", ...command];
    const { success, how, stdout, stderr } = await runProgram(program, args, { seconds: 150 });
    const summary = /ERROR SUMMARY: .*|RACECHECK SUMMARY: .*/.exec(`${stdout}\n${stderr}`)?.[0];
    const found = success ? summary ?? "no summary" : `${how}: ${summary ?? ""}\n${tail(`${stderr}\n${stdout}`, 30)}`;
    checks.push(trueCheck(`${tool} of a step of ${engine}`, success && summary !== undefined, found, "0 errors"));
    keep({ kind: "checks", checks });
  }
  return { kind: "checks", checks };
}

/** Parts of this stage. */
export const SANITIZER_PARTS: readonly Part[] = ENGINES.map((engine) => ({
  name: `sanitizer-${engine}`,
  stage: "sanitizer",
  summary: `compute-sanitizer finds nothing in two steps of ${engine}`,
  seconds: 480,
  run: (context) => sanitized(engine, context),
}));
