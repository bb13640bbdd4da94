/** NVIDIA's compiler as a program, to build kernels where NVRTC is missing. Deno permission: `--allow-run=nvcc`. */
import { UserError } from "../../../errors.ts";
import { makeTemporaryFolder, removeTree } from "../../../files/deno_file_system.ts";
import { writeFileDurably } from "../../../files/durable.ts";
import { readRegular } from "../../../files/open_regular.ts";
import type { KernelCompiler } from "./kernel_compiler.ts";
import { isPtx, type Target } from "./target.ts";

/** Where every task that compiles may write. */
const TEMPORARY_FOLDER = ".cache";

async function run(
  program: string,
  args: readonly string[],
  cwd?: string,
): Promise<{ success: boolean; text: string }> {
  const command = new Deno.Command(program, { args: [...args], cwd });
  const { success, stdout, stderr } = await command.output();
  return { success, text: new TextDecoder().decode(success ? stdout : stderr) };
}

/**
 * The nvcc on the path.
 *
 * @throws {UserError} `CUDA_UNAVAILABLE` if there is none
 */
export async function openNvcc(program = "nvcc"): Promise<KernelCompiler> {
  let version: { text: string };
  try {
    version = await run(program, ["--version"]);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError("CUDA_UNAVAILABLE", `"${program}" is not on the path`, "install the CUDA toolkit, or NVRTC", {
      cause: error,
    });
  }
  const release = /release (\d+\.\d+)/.exec(version.text)?.[1] ?? "of an unknown version";
  return { compiler: `nvcc ${release}`, compile: (source, flags, target) => compile(program, source, flags, target) };
}

async function compile(program: string, source: string, flags: readonly string[], target: Target) {
  const folder = await makeTemporaryFolder(TEMPORARY_FOLDER);
  try {
    // Names without a folder, so that none gets into the image.
    await writeFileDurably(`${folder}/kernels.cu`, source);
    const kind = isPtx(target) ? "--ptx" : "--cubin";
    const args = [...flags, kind, `--gpu-architecture=${target}`, "--output-file=image", "kernels.cu"];
    const { success, text } = await run(program, args, folder);
    if (success) return await readRegular(`${folder}/image`);
    throw new UserError(
      "KERNELS_DO_NOT_COMPILE",
      `${program} cannot compile the kernels for ${target}:\n${text.trim()}\n`,
      "this is a bug: please report it with these lines",
    );
  } finally {
    await removeTree(folder);
  }
}
