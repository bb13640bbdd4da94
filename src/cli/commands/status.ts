/** `deno task status`: how far the runs of an output folder are. */
import { EXIT, UserError } from "../../errors.ts";
import { filesWithin } from "../../files/files_within.ts";
import { print, printJson } from "../../terminal.ts";
import { readSharedPlan } from "../../worker/shared_plan.ts";
import { planStatus } from "../../worker/status.ts";
import type { Command } from "../command.ts";
import { formatStatus } from "../status_text.ts";
import { parsePaths } from "../typed_paths.ts";

const OPTIONS = {
  json: { kind: "flag", help: "print it as JSON" },
} as const;

/** The output folder among a command's words. */
export function outputFolder([folder]: readonly string[]): string {
  if (folder !== undefined) return folder.replace(/(?<=.)\/+$/, "");
  throw new UserError("MISSING_ARGUMENT", "No output folder is named", "give its path first: out/tiny");
}

/** `status` */
export const status: Command = {
  summary: "says of every run in an output folder where it is trained, how far it is, and why it waits or failed",
  usage: "DIR [--json]",
  options: OPTIONS,
  run: async (args) => {
    const { values, positionals } = parsePaths(args, OPTIONS, 1);
    const output = outputFolder(positionals);
    const files = filesWithin(output);
    const found = await planStatus(await readSharedPlan(output, files), output, { files });
    if (values.json === true) printJson(found);
    else print(formatStatus(found));
    return EXIT.ok;
  },
};
