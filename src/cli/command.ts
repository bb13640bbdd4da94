/** What a subcommand is. */
import type { Options } from "./arguments.ts";

/** A subcommand of `rewarm`. */
export interface Command {
  /** one line for the list of subcommands */
  readonly summary: string;
  /** the words after `rewarm NAME`, such as `[options] MANIFEST` */
  readonly usage: string;
  readonly options: Options;
  /** @returns the exit code, see `EXIT` */
  run(args: readonly string[]): Promise<number>;
}
