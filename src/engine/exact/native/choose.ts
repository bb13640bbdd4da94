/** Whether this process can run native kernels, and which: everything that is checked before the first of them runs. */
import type { KernelCode } from "../kernel_code.ts";
import { fmaIsFused } from "../kernels.ts";
import { INSTRUCTION_SETS, type InstructionSet } from "./instruction_sets.ts";
import { linkNativeKernels } from "./link.ts";
import { LIBRARY_FOLDER, libraryDigest, libraryName } from "./platform.ts";
import { hex, runSelfTest, SELF_TEST_BYTES, SELF_TEST_DIGEST } from "./self_test.ts";
import { PROCESSOR_SYMBOLS } from "./signatures.ts";

/** Native kernels that may be used, or why there are none. */
export type NativeChoice =
  | {
    readonly kind: "available";
    readonly code: KernelCode;
    /** SHA-256 of the library */
    readonly digest: string;
    /** of the instruction set */
    readonly title: string;
    /** bytes that a session may take at most */
    readonly memoryLimit: number;
  }
  | { readonly kind: "unavailable"; readonly reason: string };

/** For tests: what a platform has, and where. */
export interface NativeOptions {
  /** the one to use; default: the best that the processor has */
  readonly set?: InstructionSet;
  /** folder of the libraries */
  readonly folder?: URL;
  readonly platform?: Pick<typeof Deno.build, "os" | "arch">;
}

class Unavailable extends Error {}

/** Session memory where nobody may say what the machine has: as much as WebAssembly takes. */
const UNKNOWN_MEMORY_LIMIT = 2 ** 32;

/**
 * Chooses native kernels: platform, permission, the library's digest, whether it loads, the processor, and a self-test,
 * in this order. Asks for no permission; nothing of the library runs before its digest is right.
 */
export async function chooseNativeKernels(options: NativeOptions = {}): Promise<NativeChoice> {
  try {
    return await choose(options);
  } catch (error) {
    if (error instanceof Unavailable) return { kind: "unavailable", reason: error.message };
    throw error;
  }
}

async function choose({ set, folder = LIBRARY_FOLDER, platform }: NativeOptions): Promise<NativeChoice> {
  if (typeof Deno === "undefined") throw new Unavailable("only Deno can load native code");
  const { os, arch } = platform ?? Deno.build;
  const name = libraryName({ os, arch });
  if (name === undefined) throw new Unavailable(`no library was built for ${os} on ${arch}`);
  if (folder.protocol !== "file:") throw new Unavailable("the project is not on this machine's disk");
  const path = pathOf(new URL(name, folder));
  // Asked for beforehand, since a call without permission would ask the user.
  if (!await isGranted({ name: "ffi", path })) {
    throw new Unavailable("Deno was started without --allow-ffi for their folder");
  }
  if (!await isGranted({ name: "read", path })) throw new Unavailable(`Deno may not read "${name}"`);
  const digest = await digestOf(path, name);
  if (digest !== libraryDigest(name)) {
    throw new Unavailable(`"${name}" is not the library that belongs to this version, or was changed on the way`);
  }
  const chosen = chooseSet(path, set);
  await requireSameBits(path, chosen.name);
  return {
    kind: "available",
    code: { kind: "native", library: path, set: chosen.name },
    digest,
    title: chosen.title,
    memoryLimit: await memoryLimit(),
  };
}

/** A file's path as the system writes it. */
function pathOf(url: URL): string {
  const path = decodeURIComponent(url.pathname);
  return Deno.build.os === "windows" ? path.slice(1) : path;
}

async function digestOf(path: string, name: string): Promise<string> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    throw new Unavailable(`"${name}" cannot be read (${inWords(error)})`);
  }
  return hex(await crypto.subtle.digest("SHA-256", bytes));
}

/** The best set that the processor has and the operating system saves, or the one asked for. */
function chooseSet(path: string, asked: InstructionSet | undefined) {
  const processor = loaded(() => Deno.dlopen(path, PROCESSOR_SYMBOLS));
  const bits = processor.symbols.instructionSets();
  processor.close();
  const available = INSTRUCTION_SETS.filter(({ bit }) => (bits & bit) !== 0);
  const best = available.find(({ name }) => asked === undefined || name === asked);
  if (best !== undefined) return best;
  throw new Unavailable(
    asked === undefined || available.length === 0
      ? "the processor, or the system on it, offers no AVX2 with fused multiply-add"
      : `the processor, or the system on it, offers no ${asked}`,
  );
}

async function requireSameBits(path: string, set: InstructionSet): Promise<void> {
  const memory = new SharedArrayBuffer(SELF_TEST_BYTES);
  const kernels = loaded(() => linkNativeKernels(path, set, memory));
  if (!fmaIsFused(kernels) || await runSelfTest(kernels, memory) !== SELF_TEST_DIGEST) {
    throw new Unavailable("the self-test gave other bits on this machine");
  }
}

/** Loads, or says why the system will not: a file system without execution, a policy against it, another format. */
function loaded<T>(load: () => T): T {
  try {
    return load();
  } catch (error) {
    throw new Unavailable(`the system does not load the library (${inWords(error)})`);
  }
}

/** The machine's memory, if this process may ask. */
async function memoryLimit(): Promise<number> {
  const mayAsk = await isGranted({ name: "sys", kind: "systemMemoryInfo" });
  return mayAsk ? Deno.systemMemoryInfo().total : UNKNOWN_MEMORY_LIMIT;
}

async function isGranted(permission: Deno.PermissionDescriptor): Promise<boolean> {
  return (await Deno.permissions.query(permission)).state === "granted";
}

function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
