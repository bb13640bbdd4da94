/**
 * Signals: the first one stops after the current step, with a checkpoint. Ctrl-C a second time stops at once; schedulers
 * repeat theirs, which are not to cost the checkpoint.
 */
import { EXIT } from "../errors.ts";
import { printError } from "../terminal.ts";

/** Those of schedulers. Not SIGUSR1, on which Deno opens its debugger. */
const SCHEDULERS: readonly Deno.Signal[] = Deno.build.os === "windows" ? [] : ["SIGTERM", "SIGUSR2"];

/** Takes signals and does nothing: a launcher sends them to all ranks, and rank 0 decides. */
export function holdSignals(): void {
  for (const name of ["SIGINT", ...SCHEDULERS] as const) Deno.addSignalListener(name, () => {});
}

/** Aborts at the first signal; a second Ctrl-C ends the process at once. */
export function abortOnSignals(): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) Deno.exit(EXIT.interrupted);
    printError(); // after the "^C" that terminals show
    printError("Stopping after this step; Ctrl-C again stops at once");
    controller.abort();
  };
  const stop = () => {
    if (controller.signal.aborted) return;
    printError("Stopping after this step, as a signal asks");
    controller.abort();
  };
  Deno.addSignalListener("SIGINT", interrupt);
  for (const name of SCHEDULERS) Deno.addSignalListener(name, stop);
  return {
    signal: controller.signal,
    dispose: () => {
      Deno.removeSignalListener("SIGINT", interrupt);
      for (const name of SCHEDULERS) Deno.removeSignalListener(name, stop);
    },
  };
}
