/** What every rank but the first does: it opens the same engine, and carries out what rank 0 tells it. */
import type { Engine, Session } from "../engine/engine.ts";
import { engineFacts, requireAgreement, requireOwnDevice, sessionFacts, weightsFacts } from "./agreement.ts";
import { type Command, isCommand } from "./commands.ts";
import { agreeOnHosts, type HostPlace, type Hosts } from "./hosts.ts";
import { receiveMessage } from "./messages.ts";
import { bytesOf, requireDivided, SharedStep } from "./shared_step.ts";
import type { Transport } from "./transport.ts";

/** An open session. */
interface Followed {
  readonly session: Session;
  readonly shared: SharedStep;
  isCompared: boolean;
}

/** A payload as numbers; its bytes begin where they may. */
function floats(payload: Uint8Array<ArrayBuffer>): Float32Array {
  return new Float32Array(payload.buffer, 0, payload.length / 4);
}

function tokensIn(payload: Uint8Array<ArrayBuffer>): Uint16Array {
  return new Uint16Array(payload.buffer, 0, payload.length / 2);
}

/**
 * Follows rank 0 until it says that nothing is left.
 *
 * @param start starts this rank's engine, once rank 0 starts its own
 * @param version of this project
 * @param place of this rank on its host
 * @returns the exit code that rank 0 gives
 * @throws {UserError} if this rank fails; the others are to be told so
 */
export async function followRanks(
  transport: Transport,
  start: () => Promise<Engine>,
  version: string,
  place: HostPlace = {},
): Promise<number> {
  const next = async () => {
    const { header, payload } = await receiveMessage(transport, 0, "rank 0 to say what to do");
    if (isCommand(header)) return { command: header, payload };
    throw new Error(`Rank 0 sent what is no command: ${JSON.stringify(header).slice(0, 200)}`);
  };
  const { command: first } = await next();
  if (first.kind === "end") return first.code;
  const engine = await start();
  let follower: Follower | undefined;
  try {
    await requireAgreement(transport, engineFacts(version, engine), "all ranks to say what they are");
    await requireOwnDevice(transport, engine);
    follower = new Follower(transport, engine, await agreeOnHosts(transport, place));
    for (;;) {
      const { command, payload } = await next();
      if (command.kind === "end") return command.code;
      if (command.kind !== "begin") await follower.obey(command, payload);
    }
  } finally {
    follower?.close();
    engine.close?.();
  }
}

class Follower {
  readonly #sessions = new Map<number, Followed>();

  constructor(
    private readonly transport: Transport,
    private readonly engine: Engine,
    private readonly hosts: Hosts,
  ) {}

  async obey(
    command: Exclude<Command, { readonly kind: "begin" | "end" }>,
    payload: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    if (command.kind === "open") return await this.#open(command);
    const followed = this.#sessions.get(command.session);
    if (followed === undefined) throw new Error(`Rank 0 named a session ${command.session} that is not open`);
    const { session, shared } = followed;
    switch (command.kind) {
      case "write":
        return await this.#write(followed, command.engineStateBytes);
      case "read":
        return await this.#read(followed);
      case "step":
        return void await shared.step(tokensIn(payload), command);
      case "evaluate": {
        const losses = await session.evaluate(tokensIn(payload));
        if (losses.length > 0) await this.transport.send(0, bytesOf(losses), "the losses of an evaluation to leave");
        return;
      }
      case "anchor":
        return await session.anchor?.(command.hasImportance ? floats(payload) : undefined);
      case "close":
        this.#sessions.delete(command.session);
        return session.close();
    }
  }

  async #open({ session: id, options }: Extract<Command, { kind: "open" }>): Promise<void> {
    const session = await this.engine.open(options);
    try {
      const shared = new SharedStep(this.transport, requireDivided(session, this.engine.name), options, this.hosts);
      await requireAgreement(this.transport, sessionFacts(session), "all ranks to open a session");
      this.#sessions.set(id, { session, shared, isCompared: false });
    } catch (error) {
      session.close();
      throw error;
    }
  }

  async #write(followed: Followed, engineStateBytes: number | undefined): Promise<void> {
    const { session, shared } = followed;
    const { from, to } = shared.sliceOf(this.transport.rank);
    await session.writeState(async (state) => {
      const { weights, firstMoments, secondMoments, engineState = new Uint8Array() } = state;
      if (engineState.length !== (engineStateBytes ?? 0)) {
        throw new Error(`Rank 0 has ${engineStateBytes} bytes of engine state, this rank ${engineState.length}`);
      }
      const parts = [
        bytesOf(weights),
        engineState,
        bytesOf(firstMoments.subarray(from, to)),
        bytesOf(secondMoments.subarray(from, to)),
      ];
      const filled = parts.filter(({ length }) => length > 0);
      await this.transport.exchange([], filled.map((bytes) => ({ rank: 0, bytes })), "the state to be distributed");
    });
    if (followed.isCompared) return;
    await requireAgreement(this.transport, weightsFacts(await session.readState()), "the digests of the weights");
    followed.isCompared = true;
  }

  async #read({ session, shared }: Followed): Promise<void> {
    const { from, to } = shared.sliceOf(this.transport.rank);
    const { firstMoments, secondMoments } = await session.readState();
    const parts = [firstMoments, secondMoments].map((moments) => ({
      rank: 0,
      bytes: bytesOf(moments.subarray(from, to)),
    }));
    await this.transport.exchange(parts.filter(({ bytes }) => bytes.length > 0), [], "the moments to leave");
  }

  close(): void {
    for (const { session } of this.#sessions.values()) session.close();
    this.#sessions.clear();
  }
}
