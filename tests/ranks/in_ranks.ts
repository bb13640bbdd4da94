/** A session that several ranks of this process share. */
import type { Engine, Session, SessionOptions } from "../../src/engine/engine.ts";
import { followRanks } from "../../src/ranks/follow.ts";
import { inProcessLinks } from "../../src/ranks/in_process.ts";
import { Leader } from "../../src/ranks/leader.ts";
import { rankedEngine } from "../../src/ranks/ranked_engine.ts";
import { Transport } from "../../src/ranks/transport.ts";

const VERSION = "0.0.0";

/**
 * Runs `use` with the engine of several ranks, each with an engine of its own.
 *
 * @param perHost ranks that say that they are on one host; none says where it is if absent
 */
export async function withRankedEngine<T>(
  engines: readonly Engine[],
  use: (engine: Engine) => Promise<T>,
  perHost?: number,
): Promise<T> {
  const placeOf = (rank: number) => perHost === undefined ? {} : { host: `host ${Math.floor(rank / perHost)}` };
  const transports = inProcessLinks(engines.length).map((link) => new Transport(link, { silenceSeconds: 60 }));
  const [first, ...others] = transports;
  const [leading, ...following] = engines;
  if (first === undefined || leading === undefined) throw new RangeError("No ranks");
  const leader = new Leader(first);
  const ends = following.map(async (engine, i) => {
    const transport = others[i];
    if (transport === undefined) return;
    try {
      await followRanks(transport, () => Promise.resolve(engine), VERSION, placeOf(i + 1));
      await transport.close();
    } catch (error) {
      await transport.fail(error instanceof Error ? error.message : String(error));
      transport.abort(2);
    }
  });
  try {
    return await use(await rankedEngine(leader, () => Promise.resolve(leading), VERSION, placeOf(0)));
  } finally {
    if (!await leader.end(0)) {
      await first.fail("rank 0 failed");
      first.abort(2);
    }
    await Promise.all(ends);
  }
}

/** Runs `use` with a session of several ranks, and closes it. */
export async function withRankedSession<T>(
  engines: readonly Engine[],
  options: SessionOptions,
  use: (session: Session) => Promise<T>,
  perHost?: number,
): Promise<T> {
  return await withRankedEngine(engines, async (engine) => {
    const session = await engine.open(options);
    try {
      return await use(session);
    } finally {
      session.close();
    }
  }, perHost);
}
