/** A session that several ranks of this process share. */
import type { Engine, Session, SessionOptions } from "../../src/engine/engine.ts";
import { followRanks } from "../../src/ranks/follow.ts";
import { inProcessLinks } from "../../src/ranks/in_process.ts";
import { rankedEngine } from "../../src/ranks/ranked_engine.ts";
import { Transport } from "../../src/ranks/transport.ts";

const VERSION = "0.0.0";

/** Runs `use` with the engine of several ranks, each with an engine of its own. */
export async function withRankedEngine<T>(
  engines: readonly Engine[],
  use: (engine: Engine) => Promise<T>,
): Promise<T> {
  const transports = inProcessLinks(engines.length).map((link) => new Transport(link, { silenceSeconds: 60 }));
  const [first, ...others] = transports;
  const [leader, ...followers] = engines;
  if (first === undefined || leader === undefined) throw new RangeError("No ranks");
  const following = others.map(async (transport, i) => {
    try {
      const engine = followers[i];
      if (engine !== undefined) await followRanks(transport, engine, VERSION);
    } catch (error) {
      await transport.fail(error instanceof Error ? error.message : String(error));
    }
  });
  try {
    const engine = await rankedEngine(first, leader, VERSION);
    const result = await use(engine);
    await engine.end(0);
    return result;
  } catch (error) {
    await first.fail(String(error));
    throw error;
  } finally {
    await Promise.all(following);
    await Promise.all(transports.map((transport) => transport.close()));
  }
}

/** Runs `use` with a session of several ranks, and closes it. */
export async function withRankedSession<T>(
  engines: readonly Engine[],
  options: SessionOptions,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  return await withRankedEngine(engines, async (engine) => {
    const session = await engine.open(options);
    try {
      return await use(session);
    } finally {
      session.close();
    }
  });
}
