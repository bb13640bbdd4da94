/** `deno task kernels`: compiles the CUDA kernels beforehand, for machines and container images without NVRTC. */
import { type Digest, shortDigest } from "../../digest/sha256.ts";
import { ORDERED_FLAGS } from "../../engine/cuda/ordered/engine.ts";
import { kernelsDigest } from "../../engine/cuda/driver/compile_kernels.ts";
import type { KernelCompiler } from "../../engine/cuda/driver/kernel_compiler.ts";
import { openNvcc } from "../../engine/cuda/driver/nvcc.ts";
import { Nvrtc } from "../../engine/cuda/driver/nvrtc.ts";
import { writePrebuilt } from "../../engine/cuda/driver/prebuilt_kernels.ts";
import { parseTarget } from "../../engine/cuda/driver/target.ts";
import { type KernelChoice, readKernelUnit } from "../../engine/cuda/kernel_source.ts";
import { MIXED_FLAGS, mixedKernelChoice } from "../../engine/cuda/mixed/specialization.ts";
import { EXIT, UserError } from "../../errors.ts";
import { listScales, loadScale } from "../../experiment/catalogue.ts";
import { parsePaths } from "../typed_paths.ts";
import type { Command } from "../command.ts";
import { print } from "../../terminal.ts";
import { requireWritePermission } from "../write_permission.ts";

const DEFAULT_FOLDER = ".cache/cuda-kernels";
/** A100 and the Hopper GPUs, and PTX for what is newer or between. */
const DEFAULT_ARCHITECTURES = ["sm_80", "sm_90", "compute_80"];

const OPTIONS = {
  out: { kind: "text", value: "DIR", path: true, help: `where to write them (default: ${DEFAULT_FOLDER})` },
  scale: { kind: "list", value: "NAME…", help: "scales whose models they are for (default: all)" },
  architectures: {
    kind: "list",
    value: "NAME…",
    help: `sm_ for machine code, compute_ for PTX (default: ${DEFAULT_ARCHITECTURES.join(" ")})`,
  },
  "cuda-lib": { kind: "list", value: "DIR…", path: true, help: "folders to look for NVRTC in first" },
} as const;

/** Kernels with the options that the engine compiles them with. */
interface Wanted {
  readonly digest: Digest;
  readonly source: string;
  readonly flags: readonly string[];
  /** `ordered`, or `mixed fp16` with the scales whose models need them */
  readonly mode: string;
  readonly scales: string[];
}

/** What the modes of the engine need for the models of some scales; models with the same kernels share them. */
async function wantedBy(scales: readonly string[]): Promise<Wanted[]> {
  const wanted = new Map<Digest, Wanted>();
  const add = async (mode: string, choice: KernelChoice, flags: readonly string[], scale?: string) => {
    const { text: source } = await readKernelUnit(choice);
    const digest = kernelsDigest(source, flags);
    const known = wanted.get(digest) ?? { digest, source, flags, mode, scales: [] };
    if (scale !== undefined) known.scales.push(scale);
    wanted.set(digest, known);
  };
  await add("ordered", { name: "ordered" }, ORDERED_FLAGS);
  for (const scale of scales) {
    const { model: { config } } = await loadScale(scale);
    for (const precision of ["fp16", "bf16"] as const) {
      try {
        await add(`mixed ${precision}`, mixedKernelChoice(config, precision), MIXED_FLAGS, scale);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        print(`none      mixed ${precision}, scale ${scale}: ${error.message}`);
      }
    }
  }
  return [...wanted.values()];
}

/** NVRTC, whose images are what a machine that has it would make; else nvcc. */
async function openCompiler(libraryFolders: readonly string[]): Promise<KernelCompiler & { close?(): void }> {
  try {
    return Nvrtc.open({ libraryFolders });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return await openNvcc();
  }
}

/** `kernels` */
export const kernels: Command = {
  summary: "compiles the CUDA kernels beforehand, for machines without NVRTC",
  usage: "[options]",
  options: OPTIONS,
  run: async (args) => {
    const { values } = parsePaths(args, OPTIONS);
    const folder = values.out ?? DEFAULT_FOLDER;
    await requireWritePermission(folder);
    const targets = (values.architectures ?? DEFAULT_ARCHITECTURES).map(parseTarget);
    const wanted = await wantedBy(values.scale ?? await listScales());
    const compiler = await openCompiler(values["cuda-lib"] ?? []);
    try {
      for (const kernels of wanted) {
        await writePrebuilt(folder, kernels, targets, compiler);
        const { digest, mode, scales } = kernels;
        print([shortDigest(digest), mode.padEnd(10), scales.join(", ")].join("  ").trimEnd());
      }
      print(`\n${wanted.length} sets for ${targets.join(", ")} by ${compiler.compiler}, in ${folder}`);
    } finally {
      compiler.close?.();
    }
    return EXIT.ok;
  },
};
