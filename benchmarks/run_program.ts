/** The end of every program here: an exit code, or the user's mistake in words. */
import { EXIT, UserError } from "../src/errors.ts";

/** Runs a program on the command line's arguments and ends the process with its exit code. */
export async function runProgram(main: (args: readonly string[]) => Promise<number>): Promise<never> {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(`error: ${error.message} [${error.code}]`);
    Deno.exit(EXIT.unable);
  }
}
