/** An engine over several ranks, as rank 0 has it: its sessions are those of all ranks. */
import type { Engine, Session, SessionOptions } from "../engine/engine.ts";
import { engineFacts, requireAgreement, sessionFacts } from "./agreement.ts";
import type { Command } from "./commands.ts";
import { sendMessage } from "./messages.ts";
import { RankedSession } from "./ranked_session.ts";
import { requireDivided, SharedStep } from "./shared_step.ts";
import type { Transport } from "./transport.ts";

/** Rank 0's engine, and how the others are told that nothing is left. */
export interface RankedEngine extends Engine {
  /**
   * Lets the other ranks end.
   *
   * @param code their exit code
   */
  end(code: number): Promise<void>;
}

/**
 * Joins the engines of all ranks to one with the same bits. The other ranks are in `followRanks` meanwhile.
 *
 * @param engine rank 0's own
 * @param version of this project
 * @throws {UserError} `RANKS_DIFFER` if some rank has another engine, version, device or driver
 */
export async function rankedEngine(transport: Transport, engine: Engine, version: string): Promise<RankedEngine> {
  await requireAgreement(transport, engineFacts(version, engine), "all ranks to say what they are");
  const others = Array.from({ length: transport.size - 1 }, (_, i) => i + 1);
  const tell = (command: Command) =>
    sendMessage(transport, others.map((rank) => ({ rank, header: command })), `"${command.kind}" to be told`);
  let sessions = 0;
  const open = async (options: SessionOptions): Promise<Session> => {
    const session = await engine.open(options);
    if (options.inferenceOnly === true) return session;
    try {
      // Before the others are told: what one cannot share, none can.
      const shared = new SharedStep(transport, requireDivided(session, engine.name), options);
      const id = sessions++;
      await tell({ kind: "open", session: id, options });
      await requireAgreement(transport, sessionFacts(session), "all ranks to open a session");
      return new RankedSession({ transport, id, options, session, shared });
    } catch (error) {
      session.close();
      throw error;
    }
  };
  return {
    ...engine,
    description: { ...engine.description, ranks: String(transport.size), transport: transport.name },
    memoryBytes: (options) => engine.memoryBytes(options),
    peakBytes: (options) => engine.peakBytes(options),
    open,
    close: () => engine.close?.(),
    end: (code) => tell({ kind: "end", code }),
  };
}
