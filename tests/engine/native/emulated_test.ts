/**
 * The committed libraries on processors that this machine is not, under qemu: ARM64's kernels give the bits of x86-64's,
 * and a processor without AVX is recognised without a fault.
 */
import assert from "node:assert/strict";
import { INSTRUCTION_SETS } from "../../../src/engine/exact/native/instruction_sets.ts";
import { LIBRARY_FOLDER } from "../../../src/engine/exact/native/platform.ts";
import { withFolder } from "../../temporary_folder.ts";
import { AVAILABLE } from "./available.ts";

const SOURCE = new URL("self_test.c", import.meta.url).pathname;
const library = (name: string) => new URL(name, LIBRARY_FOLDER).pathname;

async function output(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  assert(success, `${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).trim();
}

/** The programs that are missing. */
async function missing(...programs: string[]): Promise<string[]> {
  const found = await Promise.all(programs.map(async (program) => {
    try {
      return (await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).output())
        .success;
    } catch {
      return false;
    }
  }));
  return programs.filter((_, i) => !found[i]);
}

/** Runs a test where its programs are, and says which are not. */
function test(name: string, programs: readonly string[], use: (folder: string) => Promise<void>): void {
  Deno.test({
    name,
    ignore: Deno.build.os !== "linux" || Deno.build.arch !== "x86_64",
    fn: async () => {
      const absent = await missing(...programs);
      if (absent.length > 0) console.log(`skipped: no ${absent.join(", ")}`);
      else await withFolder(use);
    },
  });
}

async function build(compiler: string, folder: string): Promise<string> {
  const program = `${folder}/self_test`;
  await output(compiler, "-O1", "-ffp-contract=off", "-o", program, SOURCE, "-ldl");
  return program;
}

test(
  "ARM64's kernels give the bits of x86-64's",
  ["gcc", "aarch64-linux-gnu-gcc", "qemu-aarch64-static"],
  async (folder) => {
    const [best] = AVAILABLE;
    if (best === undefined) return console.log("skipped: this processor runs no native kernels to compare with");
    const here = await output(await build("gcc", folder), library("linux-x86_64.so"), best.name);
    assert(here.split("\n").length > 700, `${here.split("\n").length} hashes`);
    const program = await build("aarch64-linux-gnu-gcc", folder);
    const arm = ["-L", "/usr/aarch64-linux-gnu", program, library("linux-aarch64.so")];
    assert.equal(await output("qemu-aarch64-static", ...arm, "neon"), here);
    assert.equal(await output("qemu-aarch64-static", ...arm), "4");
  },
);

test(
  "x86-64's sets give one another's bits, and older processors are told apart",
  ["gcc", "qemu-x86_64-static"],
  async (folder) => {
    const program = await build("gcc", folder);
    const file = library("linux-x86_64.so");
    const bitOf = Object.fromEntries(INSTRUCTION_SETS.map(({ name, bit }) => [name, bit]));
    // Nehalem has no AVX, Sandy Bridge no AVX2 and no fused multiply-add.
    for (const [processor, sets] of [["Nehalem", 0], ["SandyBridge", 0], ["Haswell", bitOf["avx2"]]] as const) {
      assert.equal(await output("qemu-x86_64-static", "-cpu", processor, program, file), `${sets}`, processor);
    }
    const emulated = await output("qemu-x86_64-static", "-cpu", "Haswell", program, file, "avx2");
    for (const { name } of AVAILABLE) assert.equal(await output(program, file, name), emulated, name);
  },
);
