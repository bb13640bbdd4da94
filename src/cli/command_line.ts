/** `rewarm`: the command line. One thin file a subcommand; everything they do is in the library. */
import project from "../../deno.json" with { type: "json" };
import { ownMember } from "../digest/own_member.ts";
import { EXIT, suggest, UserError } from "../errors.ts";
import { describeOptions } from "./arguments.ts";
import { attest } from "./commands/attest.ts";
import { bundleCommand } from "./commands/bundle.ts";
import type { Command } from "./command.ts";
import { curvesCommand } from "./commands/curves.ts";
import { dataCommand } from "./commands/data.ts";
import { conclude } from "./commands/conclude.ts";
import { diff } from "./commands/diff.ts";
import { doctor } from "./commands/doctor.ts";
import { evaluate } from "./commands/evaluate.ts";
import { exportCommand } from "./commands/export.ts";
import { importCommand } from "./commands/import.ts";
import { kernels } from "./commands/kernels.ts";
import { keygen } from "./commands/keygen.ts";
import { launch } from "./commands/launch.ts";
import { plan } from "./commands/plan.ts";
import { reproduceCommand } from "./commands/reproduce.ts";
import { sample } from "./commands/sample.ts";
import { status } from "./commands/status.ts";
import { timestamp } from "./commands/timestamp.ts";
import { tensorboard } from "./commands/tensorboard.ts";
import { print, printError } from "../terminal.ts";
import { takeUserFolder } from "./user_path.ts";
import { retrainCommand, verify } from "./commands/verify.ts";

/** All of them, by their names. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  reproduce: reproduceCommand,
  plan,
  launch,
  status,
  conclude,
  data: dataCommand,
  verify,
  retrain: retrainCommand,
  attest,
  diff,
  curves: curvesCommand,
  tensorboard,
  timestamp,
  bundle: bundleCommand,
  import: importCommand,
  export: exportCommand,
  sample,
  evaluate,
  doctor,
  kernels,
  keygen,
};

/** Names that commands had in earlier versions, and have now; scripts that give one are told, and go on working. */
const FORMER_NAMES: Readonly<Record<string, string>> = { replay: "retrain" };

function overview(): string {
  const names = Object.keys(COMMANDS);
  const width = Math.max(...names.map((name) => name.length));
  const rows = names.map((name) => `  ${name.padEnd(width)}  ${COMMANDS[name]?.summary}`);
  return `rewarm ${project.version}: reproduces "How to (re)warm your model?" (arXiv 2308.04014), bit for bit

Usage: deno task COMMAND [options]

${rows.join("\n")}

deno task COMMAND --help shows the options of a command.`;
}

function help(name: string, { summary, usage, options }: Command): string {
  return `${summary}\n\nUsage: deno task ${name} ${usage}\n\n${describeOptions(options)}`;
}

/** Runs a command line; see `EXIT` for what it returns. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const [given, ...rest] = args;
  const name = given === undefined ? undefined : ownMember(FORMER_NAMES, given) ?? given;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    print(overview());
    return name === undefined ? EXIT.unable : EXIT.ok;
  }
  if (name === "--version") {
    print(project.version);
    return EXIT.ok;
  }
  const command = ownMember(COMMANDS, name);
  if (command === undefined) {
    throw new UserError("UNKNOWN_COMMAND", `Unknown command "${name}"`, suggest(name, Object.keys(COMMANDS)));
  }
  if (name !== given) printError(`The command "${given}" is now called "${name}"`);
  const words = takeUserFolder(rest);
  const [word = "", ...further] = words;
  const own = Object.hasOwn(command.subcommands ?? {}, word) ? command.subcommands?.[word] : undefined;
  return own === undefined ? await runOrHelp(name, command, words) : await runOrHelp(`${name} ${word}`, own, further);
}

async function runOrHelp(name: string, command: Command, args: readonly string[]): Promise<number> {
  if (!args.includes("--help") && !args.includes("-h")) return await command.run(args);
  print(help(name, command));
  return EXIT.ok;
}
