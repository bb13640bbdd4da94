/** An engine over several ranks, as rank 0 has it: its sessions are those of all ranks. */
import type { Engine, Session, SessionOptions } from "../engine/engine.ts";
import { engineFacts, requireAgreement, requireOwnDevice, sessionFacts } from "./agreement.ts";
import { agreeOnHosts, type HostPlace } from "./hosts.ts";
import type { Leader } from "./leader.ts";
import { RankedSession } from "./ranked_session.ts";
import { requireDivided, SharedStep } from "./shared_step.ts";

/**
 * Starts the engines of all ranks, and joins them to one with the same bits. The others are in `followRanks` meanwhile.
 *
 * @param start starts rank 0's own
 * @param version of this project
 * @param place of rank 0 on its host
 * @throws {UserError} `RANKS_DIFFER` if some rank has another engine, version, device or driver; `RANKS_SHARE_DEVICE`
 */
export async function rankedEngine(
  leader: Leader,
  start: () => Promise<Engine>,
  version: string,
  place: HostPlace = {},
): Promise<Engine> {
  const { transport } = leader;
  const { engine, hosts } = await leader.together(async () => {
    await leader.tell({ kind: "begin" });
    const engine = await start();
    await requireAgreement(transport, engineFacts(version, engine), "all ranks to say what they are");
    await requireOwnDevice(transport, engine);
    return { engine, hosts: await agreeOnHosts(transport, place) };
  });
  let sessions = 0;
  const open = async (options: SessionOptions): Promise<Session> => {
    const session = await engine.open(options);
    if (options.inferenceOnly === true) return session;
    try {
      // Before the others are told: what one cannot share, none can.
      const shared = new SharedStep(transport, requireDivided(session, engine.name), options, hosts);
      const id = sessions++;
      await leader.together(async () => {
        await leader.tell({ kind: "open", session: id, options });
        await requireAgreement(transport, sessionFacts(session), "all ranks to open a session");
      });
      return new RankedSession({ leader, id, options, session, shared });
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
  };
}
