/**
 * `deno task native:build`: compiles source/ to the libraries of every platform, the same bytes wherever it runs, and
 * writes their digests. With `--check` it compares instead: what is committed is what this source gives.
 *
 * The compiler is Zig's C compiler (Clang and LLD for every target), pinned in lockfiles/zig by version and digest; the
 * task installs it. Nothing but these sources goes in: no C library, no start files, no paths, no times.
 */
import { writeFileDurably } from "../src/files/durable.ts";
import { hex } from "../src/engine/exact/native/self_test.ts";
import { print } from "../src/terminal.ts";

const SOURCE = new URL("../src/engine/exact/native/source/", import.meta.url);
const LIBRARIES = new URL("../src/engine/exact/native/libraries/", import.meta.url);
/** As npm's packages hold it: the program for Linux on x86-64, which compiles for all, and its own headers. */
const PACKAGES = new URL("../lockfiles/zig/node_modules/@zigc/", import.meta.url);
const CACHE = new URL("../.cache/zig/", import.meta.url);

/** -ffp-contract=off is what the bits hang on: the compiler neither fuses nor splits on its own. */
const FLAGS = [
  ...["-std=gnu11", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"],
  ...["-ffreestanding", "-fno-builtin", "-fno-stack-protector", "-fno-sanitize=all"],
  ...["-fno-unwind-tables", "-fno-asynchronous-unwind-tables", "-fvisibility=hidden", "-fPIC", "-g0"],
  ...["-Wall", "-Wextra", "-Werror"],
];

/** Kernels by the prefix of their names: the processor features that the compiler may use for them. */
const X86_64: Readonly<Record<string, string>> = {
  avx2: "x86_64+avx2+fma",
  avx512: "x86_64+avx2+fma+avx512f+avx512vl+avx512dq+avx512bw",
};
const AARCH64: Readonly<Record<string, string>> = { neon: "generic" };

interface Target {
  /** of the library, by Deno's names of system and processor */
  readonly file: string;
  /** as Zig calls it */
  readonly triple: string;
  /** of processor.c, which must run on any processor of the family */
  readonly baseline: string;
  readonly kernels: Readonly<Record<string, string>>;
}

const TARGETS: readonly Target[] = [
  { file: "linux-x86_64.so", triple: "x86_64-linux-none", baseline: "x86_64", kernels: X86_64 },
  { file: "linux-aarch64.so", triple: "aarch64-linux-none", baseline: "generic", kernels: AARCH64 },
  { file: "darwin-x86_64.dylib", triple: "x86_64-macos.12.0-none", baseline: "x86_64", kernels: X86_64 },
  { file: "darwin-aarch64.dylib", triple: "aarch64-macos.12.0-none", baseline: "generic", kernels: AARCH64 },
  { file: "windows-x86_64.dll", triple: "x86_64-windows-gnu", baseline: "x86_64", kernels: X86_64 },
  { file: "windows-aarch64.dll", triple: "aarch64-windows-gnu", baseline: "generic", kernels: AARCH64 },
];

/** Runs the compiler in source/, so that no path enters what it makes. */
async function compile(args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(new URL("linux-x64/bin/zig", PACKAGES), {
    args: ["cc", ...args],
    cwd: SOURCE,
    clearEnv: true,
    env: {
      ZIG_LIB_DIR: new URL("lib", PACKAGES).pathname,
      ZIG_GLOBAL_CACHE_DIR: CACHE.pathname,
      ZIG_LOCAL_CACHE_DIR: CACHE.pathname,
      SOURCE_DATE_EPOCH: "0", // what the linker writes into a DLL as its time
    },
  }).output();
  if (!success) throw new Error(`zig cc ${args.join(" ")} failed:\n${new TextDecoder().decode(stderr)}`);
}

/** The bytes of a library. */
async function build({ file, triple, baseline, kernels }: Target, folder: string): Promise<Uint8Array<ArrayBuffer>> {
  const objects = [`${folder}/processor.o`];
  await compile(["-target", triple, `-mcpu=${baseline}`, ...FLAGS, "-c", "processor.c", "-o", `${folder}/processor.o`]);
  for (const [prefix, features] of Object.entries(kernels)) {
    const object = `${folder}/${prefix}.o`;
    const define = `-DPREFIX=${prefix}_`;
    await compile(["-target", triple, `-mcpu=${features}`, ...FLAGS, define, "-c", "kernels.c", "-o", object]);
    objects.push(object);
  }
  const library = `${folder}/${file}`;
  // Otherwise a Mach-O library bears the path that it was written to.
  const name = file.endsWith(".dylib") ? [`-Wl,-install_name,@rpath/${file}`] : [];
  await compile(["-target", triple, "-shared", "-nostdlib", "-s", ...name, ...objects, "-o", library]);
  return await Deno.readFile(library);
}

/** SHA-256 of the sources and of how they are compiled: shows, without the compiler, libraries that were left behind. */
export async function sourceDigest(): Promise<string> {
  const names = (await Array.fromAsync(Deno.readDir(SOURCE))).map(({ name }) => name).sort();
  const files = await Promise.all(names.map(async (name) => [name, await Deno.readTextFile(new URL(name, SOURCE))]));
  const text = JSON.stringify([FLAGS, TARGETS, files]);
  return hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

async function main(): Promise<number> {
  const check = Deno.args.includes("--check");
  const digests: Record<string, string> = {};
  let differences = 0;
  await Deno.mkdir(CACHE, { recursive: true });
  for (const target of TARGETS) {
    const folder = await Deno.makeTempDir({ dir: CACHE.pathname, prefix: "build-" });
    try {
      const bytes = await build(target, folder);
      const digest = hex(await crypto.subtle.digest("SHA-256", bytes));
      digests[target.file] = digest;
      const path = new URL(target.file, LIBRARIES);
      if (check) {
        const committed = await Deno.readFile(path).catch(() => new Uint8Array());
        const same = hex(await crypto.subtle.digest("SHA-256", committed)) === digest;
        if (!same) differences++;
        print(`${same ? "same bytes" : "DIFFERENT "}  ${target.file}  ${digest}`);
      } else {
        await writeFileDurably(path.pathname, bytes);
        print(`${target.file}  ${bytes.length} bytes  ${digest}`);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
  const text = `${JSON.stringify({ source: await sourceDigest(), libraries: digests }, null, 2)}\n`;
  const path = new URL("digests.json", LIBRARIES);
  if (!check) await writeFileDurably(path.pathname, new TextEncoder().encode(text));
  else if (await Deno.readTextFile(path) !== text) {
    print("DIFFERENT   digests.json");
    differences++;
  }
  return differences === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
