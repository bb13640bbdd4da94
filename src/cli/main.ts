/**
 * `rewarm`, as it is started. The rest is imported when Deno is known to be new enough: an older one may not be able to
 * read it, and would say something else than that.
 */
import { EXIT } from "../errors.ts";
import { denoProblem } from "./deno_version.ts";
import { guardConsole, printFailure } from "../terminal.ts";

/** Runs a command line; see `EXIT` for what it returns. */
export async function main(args: readonly string[]): Promise<number> {
  const problem = denoProblem(Deno.version.deno);
  if (problem !== undefined) throw problem;
  const { runCommandLine } = await import("./command_line.ts");
  return await runCommandLine(args);
}

if (import.meta.main) {
  guardConsole();
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    printFailure(error);
    Deno.exit(EXIT.unable);
  }
}
