/** `deno task doctor`: what this machine can run, with the reason for each no. */
import project from "../../../deno.json" with { type: "json" };
import { describeContainer } from "../../container/describe.ts";
import { containerInWords } from "../../container/facts.ts";
import { openCorpora } from "../../data/corpora.ts";
import type { Engine } from "../../engine/engine.ts";
import { EXIT } from "../../errors.ts";
import { compactNumber } from "../../experiment/plan_text.ts";
import { parameterCount } from "../../model/config.ts";
import { describeEnvironment } from "../../manifest/format/environment.ts";
import { planTokens } from "../../reproduce/calibrate.ts";
import { measureSpeed } from "../../reproduce/calibrate.ts";
import { parsePaths } from "../typed_paths.ts";
import type { Command } from "../command.ts";
import { planFromOptions } from "../options/plan_options.ts";
import { formatSeconds } from "../progress.ts";
import { ENGINE_OPTIONS, startEngine, threadCount } from "../engines.ts";
import { DATA_CACHE, DEFAULT_SCALE, kernelCache } from "../settings.ts";
import { print } from "../../terminal.ts";

const OPTIONS = {
  threads: { kind: "count", value: "N", help: "threads to measure with (default: all cores)" },
  kernels: ENGINE_OPTIONS.kernels,
  cuda: { kind: "flag", help: "look for an NVIDIA GPU too, and for what the CUDA engine needs" },
  "cuda-lib": { kind: "list", value: "DIR…", path: true, help: "folders to look for NVIDIA's libraries in first" },
} as const;

/** The Deno that rewarm is tested with. */
const TESTED_DENO = "2.9.6";

/** One line of the doctor's findings. */
interface Finding {
  readonly name: string;
  readonly good: boolean;
  readonly detail: string;
}

async function examine(name: string, look: () => Promise<string> | string): Promise<Finding> {
  try {
    return { name, good: true, detail: await look() };
  } catch (error) {
    return { name, good: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

/** What the CUDA engine would find. */
async function examineGpu(libraryFolders: readonly string[] = []): Promise<Finding[]> {
  const { examineCuda } = await import("../../engine/cuda/driver/examine.ts");
  const { ORDERED_FLAGS } = await import("../../engine/cuda/ordered/engine.ts");
  const { readKernelUnit } = await import("../../engine/cuda/kernel_source.ts");
  const { text: source } = await readKernelUnit("ordered");
  const kernels = [{ name: "ordered", source, flags: ORDERED_FLAGS }];
  const found = await examineCuda({ libraryFolders, kernels, cache: kernelCache });
  return found.map(({ name, ...rest }) => ({ name: `cuda ${name}`, ...rest }));
}

/** Which code computes, its digest, and why this one. */
function describeKernels({ description }: Engine): string {
  const { kernels = "", "instruction set": set = "", "instruction set chosen": reason = "" } = description;
  return `kernels ${set} ${kernels.slice(0, 12)} (${reason})`;
}

async function run(args: readonly string[]): Promise<number> {
  const { values } = parsePaths(args, OPTIONS);
  const threads = threadCount(values);
  const { cpu, os, architecture, deno } = describeEnvironment({ threads });
  const findings = [
    await examine("deno", () => {
      if (deno !== TESTED_DENO) throw new Error(`${deno}; rewarm is tested with ${TESTED_DENO}`);
      return deno;
    }),
    await examine("machine", () => `${os} ${architecture}, ${cpu}`),
    await examine("container", async () => containerInWords(await describeContainer())),
    await examine("data", async () => {
      const { upstream, downstream } = await openCorpora({
        source: { kind: "npm" },
        sequenceLength: 128,
        cacheFolder: DATA_CACHE,
      });
      const counts = [upstream, downstream].map(({ name, summary }) =>
        `${name} ${compactNumber(summary.tokens.train)}`
      );
      upstream.close();
      downstream.close();
      return `pinned sources are here: ${counts.join(", ")} training tokens`;
    }),
    await examine("engine exact", async () => {
      const engine = await startEngine({
        threads,
        ...(values.kernels === undefined ? {} : { kernels: values.kernels }),
      });
      const plan = await planFromOptions({ scale: DEFAULT_SCALE });
      const [first] = plan.runs;
      if (first === undefined) throw new Error("The default plan has no runs");
      const speed = await measureSpeed(first, engine);
      return `${engine.level.replaceAll("_", " ")}, multiply-adds fused ${engine.description["fused multiply-add"]}, ` +
        `${describeKernels(engine)}, ` +
        `${compactNumber(speed)} tokens/s with ${
          compactNumber(parameterCount(plan.scale.model.config))
        } parameters on ` +
        `${threads} threads: scale "${DEFAULT_SCALE}" takes about ${formatSeconds(planTokens(plan) / speed)}`;
    }),
  ];
  if (values.cuda === true) findings.push(...await examineGpu(values["cuda-lib"]));
  print(`rewarm ${project.version}\n`);
  const width = Math.max(...findings.map(({ name }) => name.length));
  for (const { name, good, detail } of findings) {
    print(`  ${good ? "yes" : "NO "}  ${name.padEnd(width)}  ${detail}`);
  }
  return findings.every(({ good }) => good) ? EXIT.ok : EXIT.failed;
}

/** `doctor` */
export const doctor: Command = {
  summary: "says what this machine can run, and how fast",
  usage: "[options]",
  options: OPTIONS,
  run,
};
