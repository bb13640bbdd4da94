/** The threads of a session as it sees them: what takes its commands and answers. Web-standard APIs only. */
import { linkKernels } from "./kernel_code.ts";
import type { Command, WorkerMessage, WorkerStart } from "./protocol.ts";
import { startEngineWorker } from "./start_worker.ts";
import { Thread } from "./thread.ts";

/** Takes a start and then commands, one at a time. */
export interface EngineThread {
  /** Sets who is told the answers. */
  onMessage(receive: (message: WorkerMessage) => void): void;
  post(message: WorkerStart | Command): void;
  terminate(): void;
}

/** A thread of its own, in a worker. */
export class WorkerThread implements EngineThread {
  readonly #worker: Worker;
  #receive: (message: WorkerMessage) => void = () => {};

  constructor(onFailure: (error: Error) => void) {
    this.#worker = startEngineWorker();
    this.#worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
      if (data.kind === "error") onFailure(new Error(`A thread of the exact engine failed: ${data.message}`));
      else this.#receive(data);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      onFailure(new Error(`A thread of the exact engine failed: ${event.message}`));
    };
  }

  onMessage(receive: (message: WorkerMessage) => void): void {
    this.#receive = receive;
  }

  post(message: WorkerStart | Command): void {
    this.#worker.postMessage(message);
  }

  terminate(): void {
    this.#worker.terminate();
  }
}

/**
 * The calling thread, where memory cannot be shared with another. Each command is a task of its own in the event loop, so
 * that messages come through between steps.
 */
export class CallingThread implements EngineThread {
  readonly #onFailure: (error: Error) => void;
  #receive: (message: WorkerMessage) => void = () => {};
  #thread: Thread | undefined;
  #isOver = false;

  constructor(onFailure: (error: Error) => void) {
    this.#onFailure = onFailure;
  }

  onMessage(receive: (message: WorkerMessage) => void): void {
    this.#receive = receive;
  }

  post(message: WorkerStart | Command): void {
    setTimeout(async () => {
      if (this.#isOver) return;
      try {
        const answer = "kind" in message ? this.#thread?.run(message) : await this.#start(message);
        if (answer !== undefined) this.#receive(answer);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#onFailure(new Error(`The exact engine failed: ${reason}`, { cause: error }));
      }
    });
  }

  async #start(start: WorkerStart): Promise<WorkerMessage> {
    this.#thread = new Thread(start, await linkKernels(start.code, start.memory));
    return { kind: "ready" };
  }

  terminate(): void {
    this.#isOver = true;
    this.#thread = undefined;
  }
}
