/** The exact engine's worker: a thread that takes commands as messages. Web-standard APIs only. */
import { linkKernels } from "./kernel_code.ts";
import type { Command, WorkerMessage, WorkerStart } from "./protocol.ts";
import { Thread } from "./thread.ts";

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<WorkerStart | Command>) => void) | null;
  postMessage(message: WorkerMessage): void;
};

let thread: Thread | undefined;

scope.onmessage = async ({ data }) => {
  try {
    if ("kind" in data) {
      const result = thread?.run(data);
      if (result !== undefined) scope.postMessage(result);
    } else {
      thread = new Thread(data, await linkKernels(data.code, data.memory));
      scope.postMessage({ kind: "ready" });
    }
  } catch (error) {
    scope.postMessage({
      kind: "error",
      message: error instanceof Error ? error.stack ?? error.message : String(error),
    });
  }
};
