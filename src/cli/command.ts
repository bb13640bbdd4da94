/** What a subcommand is. */
import type { Options } from "./arguments.ts";

/** A subcommand of `rewarm`. */
export interface Command {
  /** one line for the list of subcommands */
  readonly summary: string;
  /** the words after `rewarm NAME`, such as `[options] MANIFEST` */
  readonly usage: string;
  readonly options: Options;
  /** commands of its own, by the word that stands first */
  readonly subcommands?: Readonly<Record<string, Command>>;
  /** @returns the exit code, see `EXIT` */
  run(args: readonly string[]): Promise<number>;
}
