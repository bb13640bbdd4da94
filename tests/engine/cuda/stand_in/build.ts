/**
 * Builds the stand-in by g++: `libcuda.so.1` with the kernels as CPU code, and `libnvrtc.so.13`, which knows their
 * sources. Each translation unit is compiled anew only when its text, the headers or the flags changed.
 *
 * Deno permissions: read, write to the folder, run `g++`.
 */
import { UserError } from "../../../../src/errors.ts";
import { type Digest, sha256 } from "../../../../src/digest/sha256.ts";
import { DENO_FILES } from "../../../../src/files/deno_file_system.ts";
import { makeFolderDurably, writeFileDurably } from "../../../../src/files/durable.ts";
import {
  type KernelChoice,
  type KernelFile,
  type KernelUnit,
  readKernelUnit,
} from "../../../../src/engine/cuda/kernel_source.ts";

/**
 * `checked` looks at every access of memory, and stops a kernel that reads or writes outside of what it was given, at a
 * misaligned address, or where another thread may read or write at the same time; also at an index outside of an array,
 * and a shift or an overflow that the language leaves undefined. Ten to twenty times slower.
 */
export type StandInVariant = "plain" | "checked";

/** What to build. */
export interface StandInOptions {
  /** the same unit may stand here with several definitions */
  readonly units: readonly (KernelChoice | string)[];
  /** where these folders lie; default: the project's kernels */
  readonly kernels?: URL;
  /** where objects are kept for the next build, of this stand-in or another. Default: `objects` in its folder */
  readonly objects?: string;
  /** default: `plain` */
  readonly variant?: StandInVariant;
}

/** A stand-in that was built. */
export interface StandIn {
  /** holds the libraries: what `Device.open` takes as one of its `libraryFolders` */
  readonly folder: string;
  readonly units: readonly KernelUnit[];
  /** translation units that had to be compiled */
  readonly compiled: number;
}

const SOURCES_FOLDER = new URL("./", import.meta.url);
const HEADERS = ["block_scheduler.h", "context_switch.h", "driver_state.h", "emulation.h", "runtime.h", "units.h"];
const DRIVER_SOURCES = [
  "block_scheduler",
  "block_services",
  "device_memory",
  "driver_controls",
  "driver_memory",
  "driver_modules",
  "driver_state",
  "driver_streams",
  "launch",
  "stand_in_driver",
  "tensor_core",
];
const CHECK_SOURCES = ["access_check"];
const NVRTC_SOURCES = ["stand_in_nvrtc"];

const FLAGS = [
  "-std=c++17",
  "-O2",
  "-fPIC",
  "-fvisibility=hidden",
  // One rounding for each operation that the source shows, and no more: as the kernels are compiled for a GPU.
  "-ffp-contract=off",
  "-fno-math-errno",
  // Kernels read memory through vectors of other types, which CUDA's compilers allow.
  "-fno-strict-aliasing",
];
const KERNEL_FLAGS = {
  plain: [],
  checked: [
    "-fsanitize=alignment,bounds-strict,shift,signed-integer-overflow,integer-divide-by-zero",
    "-fsanitize-undefined-trap-on-error",
    // Every access of memory calls `access_check.cpp` first; its runtime library is not linked.
    "-fsanitize=thread",
    "--param=tsan-instrument-func-entry-exit=0",
    "-Wno-tsan",
  ],
} as const;

/** Fused multiply-add as an instruction; without it the C library's correct, slow function is called. */
const ARCHITECTURE_FLAGS = Deno.build.arch === "x86_64" ? ["-march=native"] : [];

interface TranslationUnit {
  /** for messages */
  readonly name: string;
  readonly text: string;
  readonly flags: readonly string[];
}

/** @throws {UserError} `CUDA_UNAVAILABLE` if g++ cannot be started, `KERNELS_DO_NOT_COMPILE` with its messages if it fails */
async function gxx(args: readonly string[], input: string, doing: string): Promise<string> {
  let process: Deno.ChildProcess;
  try {
    process = new Deno.Command("g++", { args: [...args], stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new UserError("CUDA_UNAVAILABLE", "g++ is not installed", 'install it, on Debian by "apt install g++"', {
        cause: error,
      });
    }
    throw error;
  }
  const writer = process.stdin.getWriter();
  const written = writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  const { success, stdout, stderr } = await process.output();
  await written;
  const messages = new TextDecoder().decode(stderr);
  if (!success) throw new UserError("KERNELS_DO_NOT_COMPILE", `g++ failed at ${doing}`, messages.slice(0, 8000));
  return new TextDecoder().decode(stdout) + messages;
}

/** A C string literal, a line of the text a line of the source. */
function literal(text: string): string {
  const escaped = text.replace(/[\\"]/g, "\\$&").replaceAll("?", "\\?").split("\n");
  return escaped.map((line) => `"${line}`).join('\\n"\n') + '"';
}

/**
 * Kernels' source followed by the table by which the driver finds them. All of it is in a namespace without a name,
 * since units, and one unit with several definitions, may have functions of equal names.
 */
function kernelTranslationUnit(unit: KernelUnit, file: KernelFile): string {
  const source = file.text.replace(/extern\s+"C"(\s+__global__)/g, "$1");
  const checks = file.kernels.map(({ name, signature }) =>
    `static_assert(stand_in::Invoke<&${name}>::has_signature("${signature}"), "parameters of ${name}");`
  );
  const entries = file.kernels.map(({ name, signature, launchBounds }) =>
    `{"${unit.digest}", "${name}", "${signature}", (${launchBounds ?? 0}), stand_in::Invoke<&${name}>::run},`
  );
  return [
    '#include "emulation.h"',
    "namespace {",
    source,
    '#line 1 "registration"',
    ...checks,
    "const stand_in::Kernel registered_kernels[] = {",
    ...entries,
    "{}};",
    `__attribute__((constructor)) void register_them() {`,
    `  stand_in::register_kernels(registered_kernels, ${entries.length});`,
    "}",
    "}  // namespace",
    "",
  ].join("\n");
}

/** The table of `units.h`. */
function unitsTranslationUnit(units: readonly KernelUnit[]): string {
  const entries = units.map(({ name, digest, text }) => `{"${name}", "${digest}", ${literal(text)}}`);
  return [
    '#include "units.h"',
    "namespace stand_in {",
    `const Unit units[] = {${entries.join(",\n")}};`,
    `const unsigned unit_count = ${units.length};`,
    "}",
    "",
  ].join("\n");
}

/** Runs tasks, as many at once as there are CPUs. */
async function inParallel<T, R>(items: readonly T[], task: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await task(item);
  };
  await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, worker));
  return results;
}

/**
 * Builds the stand-in, or finds it built.
 *
 * @param folder where the libraries go; made if missing
 * @throws {UserError} `CUDA_UNAVAILABLE` without g++, `KERNELS_DO_NOT_COMPILE` if a source does not compile
 */
export async function buildStandIn(folder: string, options: StandInOptions): Promise<StandIn> {
  const { kernels, variant = "plain", objects = `${folder}/objects` } = options;
  const units = await Promise.all(options.units.map((choice) => readKernelUnit(choice, kernels)));
  const source = (name: string) => Deno.readTextFile(new URL(name, SOURCES_FOLDER));
  const headers = await Promise.all(HEADERS.map(source));
  const compiler = await gxx(
    [...FLAGS, ...ARCHITECTURE_FLAGS, "-Q", "--help=target", "--version"],
    "",
    "asking its version",
  );
  const include = `-I${new URL(".", SOURCES_FOLDER).pathname}`;
  const runtime = async (name: string): Promise<TranslationUnit> => (
    { name: `${name}.cpp`, text: await source(`${name}.cpp`), flags: ["-Wall", "-Wextra", include] }
  );
  const table: TranslationUnit = { name: "table of sources", text: unitsTranslationUnit(units), flags: [include] };
  const kernelUnits = units.flatMap((unit) =>
    unit.files.map((file): TranslationUnit => ({
      name: file.path,
      text: kernelTranslationUnit(unit, file),
      flags: ["-Wno-unknown-pragmas", include, ...KERNEL_FLAGS[variant]],
    }))
  );
  const driverSources = variant === "checked" ? [...DRIVER_SOURCES, ...CHECK_SOURCES] : DRIVER_SOURCES;
  const driver = [...await Promise.all(driverSources.map(runtime)), ...kernelUnits, table];
  const nvrtc = [...await Promise.all(NVRTC_SOURCES.map(runtime)), table];

  await makeFolderDurably(objects);
  await makeFolderDurably(folder);
  let compiled = 0;
  const compile = async ({ name, text, flags }: TranslationUnit): Promise<Digest> => {
    const digest = sha256(JSON.stringify([compiler, FLAGS, ARCHITECTURE_FLAGS, flags, headers, text]));
    const object = `${objects}/${digest}.o`;
    if (await isFile(object)) return digest;
    compiled++;
    const temporary = `${objects}/${crypto.randomUUID()}.o`;
    const args = [...FLAGS, ...ARCHITECTURE_FLAGS, ...flags, "-x", "c++", "-c", "-", "-o", temporary];
    await gxx(args, text, `compiling ${name}`);
    await DENO_FILES.rename(temporary, object);
    return digest;
  };
  const all = [...new Set([...driver, ...nvrtc])];
  const digests = new Map((await inParallel(all, compile)).map((digest, index) => [all[index], digest]));

  const link = async (library: string, parts: readonly TranslationUnit[]) => {
    const inputs = parts.map((part) => digests.get(part) ?? "");
    const record = `${folder}/${library}.inputs`;
    const wanted = inputs.join("\n");
    if (await isFile(`${folder}/${library}`) && await readIfPresent(record) === wanted) return;
    const temporary = `${folder}/${crypto.randomUUID()}`;
    // Never unloaded: its CPU threads sleep in it. A new file, since the old one may be mapped by a running process.
    const args = ["-shared", "-pthread", "-Wl,-Bsymbolic", "-Wl,-z,nodelete,-z,defs", "-o", temporary];
    await gxx([...args, ...inputs.map((digest) => `${objects}/${digest}.o`)], "", `linking ${library}`);
    await DENO_FILES.rename(temporary, `${folder}/${library}`);
    await writeFileDurably(record, wanted);
  };
  await Promise.all([link("libcuda.so.1", driver), link("libnvrtc.so.13", nvrtc)]);
  return { folder, units, compiled };
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
