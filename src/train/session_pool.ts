/** Sessions of an engine, shared by the runs of one shape. */
import { canonicalJson } from "../digest/canonical_json.ts";
import type { Engine, Session, SessionOptions } from "../engine/engine.ts";
import type { PlannedRun } from "../experiment/run/run.ts";

/** What a session for a run must be opened with. */
export function sessionOptions({ specification }: PlannedRun): SessionOptions {
  const { model, optimizer, penalty, batchSequences, gradientBlockSequences } = specification;
  return {
    model,
    optimizer,
    penalty: penalty === undefined ? undefined : { kind: penalty.kind, strength: penalty.strength },
    batchSequences,
    gradientBlockSequences,
  };
}

/** Runs of one shape share a session: every run sets the whole state before its first step. */
export class SessionPool {
  #session: { readonly shape: string; readonly session: Session } | undefined;

  constructor(private readonly engine: Engine) {}

  /** A session of the run's shape; one of another shape is closed. */
  async get(run: PlannedRun): Promise<Session> {
    const options = sessionOptions(run);
    const shape = canonicalJson(options);
    if (this.#session?.shape !== shape) {
      this.close();
      this.#session = { shape, session: await this.engine.open(options) };
    }
    return this.#session.session;
  }

  /** Stops the engine's threads. */
  close(): void {
    this.#session?.session.close();
    this.#session = undefined;
  }
}
