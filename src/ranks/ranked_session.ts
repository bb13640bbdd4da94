/** A session of rank 0 whose steps and evaluations all ranks share. */
import type { Session, SessionOptions, StepResult, TrainingState } from "../engine/engine.ts";
import { countWindows, requireBatch, SessionCalls } from "../engine/session_calls.ts";
import { requireAgreement, weightsFacts } from "./agreement.ts";
import type { Leader } from "./leader.ts";
import { bytesOf, type SharedStep } from "./shared_step.ts";
import type { Part } from "./transport.ts";

/** What a ranked session is made of. */
export interface RankedParts {
  readonly leader: Leader;
  /** number that the ranks know it by */
  readonly id: number;
  readonly options: SessionOptions;
  /** rank 0's own */
  readonly session: Session;
  readonly shared: SharedStep;
}

/** Windows of each rank: as even as can be, in order. */
export function windowBounds(windows: number, ranks: number): readonly number[] {
  return Array.from({ length: ranks + 1 }, (_, rank) => Math.floor(rank * windows / ranks));
}

/** See above; bits are those of `session` alone. */
export class RankedSession implements Session {
  readonly #parts: RankedParts;
  readonly #calls = new SessionCalls();
  #isCompared = false;

  constructor(parts: RankedParts) {
    this.#parts = parts;
  }

  get memoryBytes(): number {
    return this.#parts.session.memoryBytes;
  }

  get conditions(): Session["conditions"] {
    return this.#parts.session.conditions;
  }

  /** One call at a time, which all ranks carry out. */
  #together<T>(call: () => Promise<T>): Promise<T> {
    return this.#calls.exclusively(() => this.#parts.leader.together(call));
  }

  /** The followers' moments are where they are up to date: each rank updates those of its slice. */
  #moments({ firstMoments, secondMoments }: TrainingState): Part[] {
    return this.#parts.leader.followers.flatMap((rank) => {
      const { from, to } = this.#parts.shared.sliceOf(rank);
      return [firstMoments, secondMoments].map((moments) => ({ rank, bytes: bytesOf(moments.subarray(from, to)) }));
    }).filter(({ bytes }) => bytes.length > 0);
  }

  readState(): Promise<TrainingState> {
    return this.#together(async () => {
      const { leader, session, id } = this.#parts;
      await leader.tell({ kind: "read", session: id });
      const state = await session.readState();
      await leader.transport.exchange([], this.#moments(state), "the moments");
      return state;
    });
  }

  writeState(fill: (state: TrainingState) => void | Promise<void>): Promise<void> {
    return this.#calls.exclusively(async () => {
      // Rank 0's alone, which may fail: the others do not know of it yet.
      await this.#parts.session.writeState(fill);
      await this.#parts.leader.together(() => this.#distribute());
    });
  }

  /** Gives all ranks the state that rank 0 has. */
  async #distribute(): Promise<void> {
    const { leader, session, id } = this.#parts;
    const state = await session.readState();
    const { engineState } = state;
    await leader.tell({ kind: "write", session: id, engineStateBytes: engineState?.length });
    const shared = leader.followers.flatMap((rank) =>
      [bytesOf(state.weights), engineState ?? new Uint8Array()].map((bytes) => ({ rank, bytes }))
    );
    const parts = [...shared, ...this.#moments(state)].filter(({ bytes }) => bytes.length > 0);
    await leader.transport.exchange(parts, [], "the state to be distributed");
    if (this.#isCompared) return;
    await requireAgreement(leader.transport, weightsFacts(state), "the digests of the weights");
    this.#isCompared = true;
  }

  step(tokens: Uint16Array, learningRate: number, step: number): Promise<StepResult> {
    return this.#together(async () => {
      const { leader, options, shared, id } = this.#parts;
      requireBatch(tokens, options.model, options.batchSequences);
      await leader.tell(
        { kind: "step", session: id, learningRate, step },
        (rank) => bytesOf(shared.tokensOf(rank, tokens)),
      );
      return await shared.step(shared.tokensOf(0, tokens), { learningRate, step });
    });
  }

  evaluate(tokens: Uint16Array): Promise<Float32Array> {
    return this.#together(async () => {
      const { leader, options, session, id } = this.#parts;
      const { transport } = leader;
      const windows = countWindows(tokens, options.model);
      const width = options.model.sequenceLength + 1;
      const bounds = windowBounds(windows, transport.size);
      const bound = (rank: number) => bounds[rank] ?? windows;
      const windowsOf = (rank: number) => tokens.subarray(bound(rank) * width, bound(rank + 1) * width);
      await leader.tell({ kind: "evaluate", session: id }, (rank) => bytesOf(windowsOf(rank)));
      const losses = new Float32Array(windows);
      const arriving = leader.followers.map((rank) => ({
        rank,
        bytes: bytesOf(losses.subarray(bound(rank), bound(rank + 1))),
      }))
        .filter(({ bytes }) => bytes.length > 0);
      const others = transport.exchange([], arriving, "the losses of an evaluation");
      others.catch(() => {});
      losses.set(await session.evaluate(windowsOf(0)));
      await others;
      return losses;
    });
  }

  logits(tokens: Uint16Array): Promise<Float32Array> {
    return this.#calls.exclusively(() => this.#parts.session.logits(tokens));
  }

  gradient(tokens: Uint16Array): Promise<{ loss: number; gradient: Float32Array }> {
    return this.#calls.exclusively(() => this.#parts.session.gradient(tokens));
  }

  anchor(importance: Float32Array | undefined): Promise<void> {
    return this.#together(async () => {
      const { leader, session, id } = this.#parts;
      if (session.anchor === undefined) throw new Error("The session has no penalty");
      await session.anchor(importance);
      const payload = importance === undefined ? undefined : bytesOf(importance);
      await leader.tell(
        { kind: "anchor", session: id, hasImportance: payload !== undefined },
        payload === undefined ? undefined : () => payload,
      );
    });
  }

  close(): void {
    if (this.#calls.failure !== undefined) return;
    this.#calls.end(new Error("The session is closed"));
    this.#parts.session.close();
    // Not waited for, since a session closes at once; the next command follows it.
    const { leader, id } = this.#parts;
    leader.tell({ kind: "close", session: id }).catch(() => {});
  }
}
