/** A session of rank 0 whose steps and evaluations all ranks share. */
import type { Session, SessionOptions, StepResult, TrainingState } from "../engine/engine.ts";
import { countWindows, requireBatch, SessionCalls } from "../engine/session_calls.ts";
import { requireAgreement, weightsFacts } from "./agreement.ts";
import type { Command } from "./commands.ts";
import { sendMessage } from "./messages.ts";
import { bytesOf, type SharedStep } from "./shared_step.ts";
import type { Part, Transport } from "./transport.ts";

/** What a ranked session is made of. */
export interface RankedParts {
  readonly transport: Transport;
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
  readonly #followers: readonly number[];
  #isCompared = false;

  constructor(parts: RankedParts) {
    this.#parts = parts;
    this.#followers = Array.from({ length: parts.transport.size - 1 }, (_, i) => i + 1);
  }

  get memoryBytes(): number {
    return this.#parts.session.memoryBytes;
  }

  get conditions(): Session["conditions"] {
    return this.#parts.session.conditions;
  }

  async #command(command: Command, payload?: (rank: number) => Uint8Array): Promise<void> {
    const what = `a message of the kind "${command.kind}" to leave`;
    const parts = this.#followers.map((rank) => ({ rank, header: command, payload: payload?.(rank) }));
    await sendMessage(this.#parts.transport, parts, what);
  }

  /** The followers' moments are where they are up to date: each rank updates those of its slice. */
  #moments({ firstMoments, secondMoments }: TrainingState): Part[] {
    return this.#followers.flatMap((rank) => {
      const { from, to } = this.#parts.shared.sliceOf(rank);
      return [firstMoments, secondMoments].map((moments) => ({ rank, bytes: bytesOf(moments.subarray(from, to)) }));
    }).filter(({ bytes }) => bytes.length > 0);
  }

  readState(): Promise<TrainingState> {
    return this.#calls.exclusively(async () => {
      const { transport, session, id } = this.#parts;
      await this.#command({ kind: "read", session: id });
      const state = await session.readState();
      await transport.exchange([], this.#moments(state), "the moments");
      return state;
    });
  }

  writeState(fill: (state: TrainingState) => void | Promise<void>): Promise<void> {
    return this.#calls.exclusively(async () => {
      const { transport, session, id } = this.#parts;
      await session.writeState(fill);
      const state = await session.readState();
      const { engineState } = state;
      await this.#command({ kind: "write", session: id, engineStateBytes: engineState?.length });
      const shared = this.#followers.flatMap((rank) =>
        [bytesOf(state.weights), engineState ?? new Uint8Array()].map((bytes) => ({ rank, bytes }))
      );
      const parts = [...shared, ...this.#moments(state)].filter(({ bytes }) => bytes.length > 0);
      await transport.exchange(parts, [], "the state to be distributed");
      if (this.#isCompared) return;
      await requireAgreement(transport, weightsFacts(state), "the digests of the weights");
      this.#isCompared = true;
    });
  }

  step(tokens: Uint16Array, learningRate: number, step: number): Promise<StepResult> {
    return this.#calls.exclusively(async () => {
      const { options, shared, id } = this.#parts;
      requireBatch(tokens, options.model, options.batchSequences);
      await this.#command(
        { kind: "step", session: id, learningRate, step },
        (rank) => bytesOf(shared.tokensOf(rank, tokens)),
      );
      return await shared.step(shared.tokensOf(0, tokens), { learningRate, step });
    });
  }

  evaluate(tokens: Uint16Array): Promise<Float32Array> {
    return this.#calls.exclusively(async () => {
      const { transport, options, session, id } = this.#parts;
      const windows = countWindows(tokens, options.model);
      const width = options.model.sequenceLength + 1;
      const bounds = windowBounds(windows, transport.size);
      const bound = (rank: number) => bounds[rank] ?? windows;
      const windowsOf = (rank: number) => tokens.subarray(bound(rank) * width, bound(rank + 1) * width);
      await this.#command({ kind: "evaluate", session: id }, (rank) => bytesOf(windowsOf(rank)));
      const losses = new Float32Array(windows);
      const arriving = this.#followers.map((rank) => ({
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
    return this.#calls.exclusively(async () => {
      const { session, id } = this.#parts;
      if (session.anchor === undefined) throw new Error("The session has no penalty");
      await session.anchor(importance);
      const payload = importance === undefined ? undefined : bytesOf(importance);
      await this.#command(
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
    this.#command({ kind: "close", session: this.#parts.id }).catch(() => {});
  }
}
