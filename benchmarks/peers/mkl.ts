/**
 * PyTorch at its best on processors that Intel did not make: MKL, which multiplies its matrices, takes AVX-512 only where
 * the function below says that Intel made the processor. On Intel's own it changes nothing.
 */

const FOLDER = ".cache/mkl";
const SOURCE = "int mkl_serv_intel_cpu_true(void) { return 1; }\nint mkl_serv_intel_cpu(void) { return 1; }\n";

/**
 * Compiles a library to be loaded before MKL.
 *
 * @returns its path, or why there is none
 */
export async function buildMklOverride(): Promise<{ path: string } | { reason: string }> {
  if (Deno.build.os !== "linux") return { reason: "libraries are preloaded on Linux only" };
  try {
    await Deno.mkdir(FOLDER, { recursive: true });
    const path = await Deno.realPath(FOLDER) + "/intel_cpu.so";
    const compiler = new Deno.Command("cc", {
      args: ["-shared", "-fPIC", "-x", "c", "-", "-o", path],
      stdin: "piped",
      stderr: "piped",
    }).spawn();
    const writer = compiler.stdin.getWriter();
    await writer.write(new TextEncoder().encode(SOURCE));
    await writer.close();
    const { success, stderr } = await compiler.output();
    return success ? { path } : { reason: new TextDecoder().decode(stderr).trim() };
  } catch (error) {
    return { reason: `no C compiler: ${error instanceof Error ? error.message : String(error)}` };
  }
}
