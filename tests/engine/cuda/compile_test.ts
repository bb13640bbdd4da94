/**
 * Every kernel compiles with NVIDIA's compilers for the GPUs that rewarm names, without spilled registers, without
 * atomic sums of floats, and in the ordered mode without any operation that rounds otherwise than the source says.
 *
 * Needs nvcc on the path, or NVRTC in the folder that REWARM_CUDA_LIB names; what is missing is skipped. With --verbose
 * after `--` the registers and the shared memory of each kernel are printed.
 */
import assert from "node:assert/strict";
import { Nvrtc } from "../../../src/engine/cuda/driver/nvrtc.ts";
import type { Target } from "../../../src/engine/cuda/driver/target.ts";
import { ORDERED_FLAGS } from "../../../src/engine/cuda/ordered/engine.ts";
import { type KernelChoice, type KernelUnit, readKernelUnit } from "../../../src/engine/cuda/kernel_source.ts";
import { MIXED_FLAGS } from "../../../src/engine/cuda/mixed/specialization.ts";
import { withFolder } from "../../temporary_folder.ts";
import { HAS_NVRTC, REAL_PLACES } from "./real_libraries.ts";

/** A100, H100 and H200, and what other GPUs' drivers compile further. */
const MACHINE_TARGETS = ["sm_80", "sm_90"] as const satisfies Target[];
const PTX_TARGET: Target = "compute_80";

interface Case {
  readonly name: string;
  readonly choice: KernelChoice;
  readonly flags: readonly string[];
}

/** Heads of 16 are the test models', of 64 Pythia's up to 410M, of 128 larger ones'. */
const HEADS = [[16, 2, "fp16"], [64, 8, "fp16"], [64, 8, "bf16"], [128, 16, "bf16"]] as const;

const CASES: readonly Case[] = [
  { name: "ordered", choice: { name: "ordered" }, flags: ORDERED_FLAGS },
  ...HEADS.map(([headSize, half, format]): Case => {
    const definitions = { HEAD_SIZE: headSize, MIXED_BF16: format === "bf16" ? 1 : 0, ROTARY_HALF: half };
    const name = `mixed, heads of ${headSize}, ${format}`;
    return { name, choice: { name: "mixed", definitions }, flags: MIXED_FLAGS };
  }),
];

/** Kernels that may keep registers in memory, with the reason. */
const SPILLS_ALLOWED: ReadonlyMap<string, string> = new Map([]);

const hasNvcc = await new Deno.Command("nvcc", { args: ["--version"], stdout: "null", stderr: "null" }).output()
  .then(({ success }) => success, () => false);

/** @returns what nvcc wrote to the standard error */
async function nvcc(folder: string, unit: KernelUnit, args: readonly string[]): Promise<string> {
  await Deno.writeTextFile(`${folder}/kernels.cu`, unit.text);
  const command = new Deno.Command("nvcc", { args: [...args, "-o", "image", "kernels.cu"], cwd: folder });
  const { success, stderr } = await command.output();
  const messages = new TextDecoder().decode(stderr);
  assert(success, messages);
  return messages;
}

/** What ptxas says of one kernel. */
interface Resources {
  readonly kernel: string;
  readonly registers: number;
  readonly sharedBytes: number;
  readonly stackBytes: number;
  readonly spilledBytes: number;
}

function resourcesOf(messages: string): Resources[] {
  return messages.split("Compiling entry function '").slice(1).map((text) => {
    const number = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0);
    return {
      kernel: text.slice(0, text.indexOf("'")),
      registers: number(/Used (\d+) registers/),
      sharedBytes: number(/(\d+) bytes smem/),
      stackBytes: number(/(\d+) bytes stack frame/),
      spilledBytes: number(/(\d+) bytes spill stores/) + number(/(\d+) bytes spill loads/),
    };
  });
}

function table(title: string, rows: readonly Resources[]): string {
  const width = Math.max(...rows.map(({ kernel }) => kernel.length));
  const head = `${"kernel".padEnd(width)}  registers  shared  stack  spilled`;
  const line = (r: Resources) =>
    r.kernel.padEnd(width) + String(r.registers).padStart(11) + String(r.sharedBytes).padStart(8) +
    String(r.stackBytes).padStart(7) + String(r.spilledBytes).padStart(9);
  return [title, head, ...rows.map(line)].join("\n");
}

/** Lines of PTX that the project forbids; the ordered mode forbids more. */
function forbidden(ptx: string, ordered: boolean): string[] {
  const atomicFloat = /\b(atom|red)\b\S*\.(f16|bf16|f32|f64)/;
  // Without .rn the driver's compiler may join a product and a sum to one rounding.
  const loose = /\.ftz|\.approx|\bdiv\.full|\b(add|sub|mul|mad)\.f32|\.f64\b|\bmma\b/;
  return ptx.split("\n").filter((line) => atomicFloat.test(line) || (ordered && loose.test(line)));
}

Deno.test("the scan of PTX finds float atomics and loose arithmetic when they are there", () => {
  const bad = [
    "\tred.global.add.f32 \t[%rd1], %f1;",
    "\tatom.global.add.noftz.bf16x2 \t%r1, [%rd1], %r2;",
    "\tatom.shared.add.f64 \t%fd1, [%r1], %fd2;",
  ];
  const loose = ["\tex2.approx.ftz.f32 \t%f1, %f2;", "\tdiv.full.f32 \t%f1, %f2, %f3;", "\tmul.f32 \t%f1, %f2, %f3;"];
  const good = [
    "\tatom.global.or.b32 \t%r1, [%rd1], 1;",
    "\tfma.rn.f32 \t%f1, %f2, %f3, %f4;",
    "\tmul.rn.f32 \t%f1, %f2, %f3;",
  ];
  assert.deepEqual(forbidden([...bad, ...loose, ...good].join("\n"), false), bad);
  assert.deepEqual(forbidden([...bad, ...loose, ...good].join("\n"), true), [...bad, ...loose]);
});

for (const { name, choice, flags } of CASES) {
  const ordered = choice.name === "ordered";

  for (const target of MACHINE_TARGETS) {
    Deno.test({
      name: `nvcc compiles every kernel without spills when they are ${name}, for ${target}`,
      ignore: !hasNvcc,
      fn: () =>
        withFolder(async (folder) => {
          const unit = await readKernelUnit(choice);
          const messages = await nvcc(folder, unit, [
            ...flags,
            "--cubin",
            `--gpu-architecture=${target}`,
            "-Xptxas",
            "-v",
          ]);
          const resources = resourcesOf(messages);
          if (Deno.args.includes("--verbose")) console.log(table(`${name}, ${target}`, resources));
          assert.deepEqual(resources.map(({ kernel }) => kernel).sort(), [...unit.kernels.keys()].sort());
          assert(resources.every(({ registers }) => registers > 0), "ptxas' words are not understood");
          const bad = resources.filter(({ kernel, spilledBytes, stackBytes }) =>
            spilledBytes + stackBytes > 0 && !SPILLS_ALLOWED.has(kernel)
          );
          assert.deepEqual(bad, [], table("kernels that keep values in memory", bad));
        }),
    });
  }

  Deno.test({
    name: `nvcc gives PTX without forbidden instructions when kernels are ${name}`,
    ignore: !hasNvcc,
    fn: () =>
      withFolder(async (folder) => {
        const unit = await readKernelUnit(choice);
        await nvcc(folder, unit, [...flags, "--ptx", `--gpu-architecture=${PTX_TARGET}`]);
        checkPtx(await Deno.readTextFile(`${folder}/image`), unit, ordered);
      }),
  });

  Deno.test({
    name: `NVRTC compiles the same text when kernels are ${name}`,
    ignore: !HAS_NVRTC,
    fn: async () => {
      const unit = await readKernelUnit(choice);
      const nvrtc = Nvrtc.open(REAL_PLACES);
      try {
        for (const target of MACHINE_TARGETS) {
          const cubin = await nvrtc.compile(unit.text, flags, target);
          assert.deepEqual(Array.from(cubin.subarray(0, 4)), [0x7f, 0x45, 0x4c, 0x46], "an ELF file");
        }
        checkPtx(new TextDecoder().decode(await nvrtc.compile(unit.text, flags, PTX_TARGET)), unit, ordered);
      } finally {
        nvrtc.close();
      }
    },
  });
}

function checkPtx(ptx: string, unit: KernelUnit, ordered: boolean): void {
  const entries = Array.from(ptx.matchAll(/\.visible \.entry (\w+)\(/g), ([, kernel]) => kernel);
  assert.deepEqual(entries.sort(), [...unit.kernels.keys()].sort());
  assert.deepEqual(forbidden(ptx, ordered), []);
}
