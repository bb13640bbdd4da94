/** A few lines of C as a shared library, by the machine's own compiler: for what benchmarks compare with. */

/** Where it lies, or why there is none. */
export type CompiledLibrary = { readonly path: string } | { readonly reason: string };

const FOLDER = ".cache/benchmarks";

/**
 * Compiles C for Linux, or macOS where `cc` makes the same of the same options.
 *
 * @param name of the library's file, without its extension
 * @param flags further options of the compiler
 */
export async function compileLibrary(
  name: string,
  source: string,
  flags: readonly string[] = [],
): Promise<CompiledLibrary> {
  if (Deno.build.os === "windows") return { reason: "there is no cc on Windows" };
  try {
    await Deno.mkdir(FOLDER, { recursive: true });
    const path = `${await Deno.realPath(FOLDER)}/${name}.so`;
    const compiler = new Deno.Command("cc", {
      args: ["-shared", "-fPIC", ...flags, "-x", "c", "-", "-o", path],
      stdin: "piped",
      stderr: "piped",
    }).spawn();
    const writer = compiler.stdin.getWriter();
    await writer.write(new TextEncoder().encode(source));
    await writer.close();
    const { success, stderr } = await compiler.output();
    return success ? { path } : { reason: new TextDecoder().decode(stderr).trim() };
  } catch (error) {
    return { reason: `no C compiler: ${error instanceof Error ? error.message : String(error)}` };
  }
}
