/** `deno task tensorboard`: an output folder's journals for TensorBoard. */
import { counted } from "../../text/numbers.ts";
import { EXIT } from "../../errors.ts";
import { filesWithin } from "../../files/files_within.ts";
import { print } from "../../terminal.ts";
import { readSharedPlan } from "../../worker/shared_plan.ts";
import { TENSORBOARD_FOLDER, TensorboardWriter } from "../../worker/tensorboard.ts";
import type { Command } from "../command.ts";
import { abortOnSignals } from "../signals.ts";
import { parsePaths } from "../typed_paths.ts";
import { requireWritePermission } from "../write_permission.ts";
import { outputFolder } from "./status.ts";

const OPTIONS = {
  follow: { kind: "flag", help: "go on until Ctrl-C, and write what runs add at each checkpoint" },
} as const;

/** Milliseconds between two looks at the journals. */
const FOLLOW_INTERVAL = 5000;

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsePaths(args, OPTIONS, 1);
  const output = outputFolder(positionals);
  await requireWritePermission(output);
  const files = filesWithin(output);
  const writer = new TensorboardWriter(await readSharedPlan(output, files), output, files);
  const written = await writer.write();
  print(`${counted(written.length, "run")} in ${output}/${TENSORBOARD_FOLDER}`);
  print(`look at them: tensorboard --logdir ${output}/${TENSORBOARD_FOLDER}`);
  if (values.follow !== true) return EXIT.ok;
  const { signal, dispose } = abortOnSignals();
  try {
    while (!signal.aborted) {
      await pause(FOLLOW_INTERVAL, signal);
      for (const label of await writer.write()) print(`  ${label}`);
    }
    return EXIT.interrupted;
  } finally {
    dispose();
  }
}

/** Some time, or until the signal. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise.finally(() => clearTimeout(timer));
}

/** `tensorboard` */
export const tensorboard: Command = {
  summary: "writes the journals of an output folder as event files for TensorBoard",
  usage: "DIR [--follow]",
  options: OPTIONS,
  run,
};
