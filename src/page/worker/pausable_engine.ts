/** An engine whose sessions wait between steps while the reader has paused them. */
import type { Engine, Session } from "../../engine/engine.ts";

/** Lets work through, or keeps it waiting. */
export class Gate {
  #open = Promise.resolve();
  #release: (() => void) | undefined;

  close(): void {
    if (this.#release !== undefined) return;
    this.#open = new Promise((resolve) => this.#release = resolve);
  }

  open(): void {
    this.#release?.();
    this.#release = undefined;
  }

  /** Returns when the gate is open. */
  async pass(): Promise<void> {
    await this.#open;
  }
}

/** The same engine, whose steps and evaluations begin only while the gate is open. */
export function pausable(engine: Engine, gate: Gate): Engine {
  return { ...engine, open: async (options) => pausableSession(await engine.open(options), gate) };
}

function pausableSession(session: Session, gate: Gate): Session {
  return {
    memoryBytes: session.memoryBytes,
    ...(session.conditions === undefined ? {} : { conditions: session.conditions }),
    readState: () => session.readState(),
    writeState: (fill) => session.writeState(fill),
    async step(...step) {
      await gate.pass();
      return await session.step(...step);
    },
    async evaluate(tokens) {
      await gate.pass();
      return await session.evaluate(tokens);
    },
    logits: (tokens) => session.logits(tokens),
    gradient: (tokens) => session.gradient(tokens),
    close: () => session.close(),
  };
}
