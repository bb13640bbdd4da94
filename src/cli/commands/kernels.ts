/** `deno task kernels`: compiles the CUDA kernels beforehand, for machines and container images without NVRTC. */
import { shortDigest } from "../../digest/sha256.ts";
import { writePrebuilt } from "../../engine/cuda/driver/prebuilt_kernels.ts";
import { parseTarget } from "../../engine/cuda/driver/target.ts";
import { openKernelCompiler, wantedKernels } from "../../engine/cuda/wanted_kernels.ts";
import { EXIT } from "../../errors.ts";
import { listScales, loadScale } from "../../experiment/catalogue.ts";
import type { ModelConfig } from "../../model/config.ts";
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
    const models = new Map<string, ModelConfig>();
    for (const scale of values.scale ?? await listScales()) models.set(scale, (await loadScale(scale)).model.config);
    const wanted = await wantedKernels(models, (mode, scale, reason) => {
      print(`none      ${mode}, scale ${scale}: ${reason}`);
    });
    const compiler = await openKernelCompiler(values["cuda-lib"] ?? []);
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
