/** Ctrl-C: the first one stops after the current step, a second one at once. */
import { EXIT } from "../errors.ts";
import { printError } from "../terminal.ts";

/** Aborts at the first Ctrl-C; a second one ends the process at once. */
export function abortOnSignals(): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) Deno.exit(EXIT.interrupted);
    printError(); // after the "^C" that terminals show
    printError("Stopping after this step; Ctrl-C again stops at once");
    controller.abort();
  };
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  for (const name of signals) Deno.addSignalListener(name, stop);
  return {
    signal: controller.signal,
    dispose: () => signals.forEach((name) => Deno.removeSignalListener(name, stop)),
  };
}
