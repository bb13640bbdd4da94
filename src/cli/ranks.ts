/** `--transport`: one process among several that share every step. Rank 0 is the program, the others follow it. */
import { cpus } from "node:os";
import project from "../../deno.json" with { type: "json" };
import type { EngineValues } from "../engine/catalogue.ts";
import type { Engine } from "../engine/engine.ts";
import { EXIT, hasCode, suggest, UserError } from "../errors.ts";
import type { HostPlace } from "../ranks/hosts.ts";
import { followRanks } from "../ranks/follow.ts";
import { type LaunchedRank, launchedRank } from "../ranks/launched.ts";
import { Leader } from "../ranks/leader.ts";
import { joinMpi } from "../ranks/mpi/link.ts";
import { rankedEngine } from "../ranks/ranked_engine.ts";
import { SILENCE_SECONDS, Transport } from "../ranks/transport.ts";
import { printError, printFailure } from "../terminal.ts";
import type { Values } from "./arguments.ts";
import { holdSignals } from "./signals.ts";
import { startEngine } from "./start_engine.ts";

/** Options of commands that train. */
export const RANK_OPTIONS = {
  transport: {
    kind: "text",
    value: "NAME",
    help: "share every step with the ranks that mpirun or srun started: mpi (docs/cluster.md)",
  },
  "rank-timeout": {
    kind: "count",
    value: "SECONDS",
    help: `a rank without a sign of life for so long is lost (default: ${SILENCE_SECONDS})`,
  },
} as const;

/** What moves bytes between ranks, by the names that `--transport` has for them. */
const TRANSPORTS = ["mpi"];

type RankValues = Values<typeof RANK_OPTIONS> & EngineValues;

/** Milliseconds in which rank 0 says what happened, when another has failed. */
const LEADER_SPEAKS = 5000;

/** Milliseconds that the others have to leave first. */
const OTHERS_LEAVE = 500;

/** Where this rank is, and which number it has there. */
interface RankPlace extends HostPlace {
  readonly localRank?: number;
}

/** How a command starts its engine, and with which options. */
export interface RankStart<V> {
  readonly start: () => Promise<Engine>;
  /** with the threads of one rank, where the ranks of a node share its processors */
  readonly values: V;
}

/**
 * Runs a command: alone, or as rank 0 of several. In another rank, follows rank 0 instead.
 *
 * @param use the command, whose engine is then that of all ranks
 * @returns its exit code, or that which rank 0 gives to the others
 * @throws {UserError} `NO_RANKS`, `RANKS_CONTRADICT`, `MPI_UNAVAILABLE`
 */
export async function inRanks<V extends RankValues>(
  given: V,
  use: (start: RankStart<V>) => Promise<number>,
): Promise<number> {
  requireTransport(given);
  if (given.transport === undefined) return await use({ start: () => startEngine(given), values: given });
  const launched = launchedRank();
  const values = launched === undefined ? given : withOwnThreads(given, launched);
  const transport = new Transport(await joinMpi({ launched }), { silenceSeconds: given["rank-timeout"] });
  const place = { host: Deno.hostname(), localRank: launched?.localRank };
  if (transport.rank > 0) return await follow(transport, values, place);
  return await lead(new Leader(transport), values, use, place);
}

/**
 * Refuses ranks where nothing is trained: each would do the whole.
 *
 * @throws {UserError} `UNUSED_OPTION`
 */
export function requireTraining(
  values: Pick<RankValues, "transport"> & { readonly "plan-only"?: true; readonly "dry-run"?: true },
): void {
  const [other] = (["plan-only", "dry-run"] as const).filter((name) => values[name] === true);
  if (values.transport === undefined || other === undefined) return;
  throw new UserError(
    "UNUSED_OPTION",
    `"--transport" is for training`,
    `leave it out with "--${other}", as deno task reproduce does`,
  );
}

function requireTransport({ transport, "rank-timeout": timeout }: RankValues): void {
  if (transport !== undefined && !TRANSPORTS.includes(transport)) {
    throw new UserError("UNKNOWN_OPTION", `Option "--transport" is "${transport}"`, suggest(transport, TRANSPORTS));
  }
  if (transport === undefined && timeout !== undefined) {
    throw new UserError(
      "UNUSED_OPTION",
      '"--rank-timeout" is for "--transport"',
      "add --transport mpi, or leave it out",
    );
  }
}

/** Processors that the launcher did not bind to a rank are shared by the ranks of the node. */
function withOwnThreads<V extends RankValues>(values: V, { localSize = 1 }: LaunchedRank): V {
  const available = navigator.hardwareConcurrency;
  if (values.threads !== undefined || available < cpus().length) return values;
  return { ...values, threads: Math.max(1, Math.floor(available / localSize)) };
}

async function lead<V extends RankValues>(
  leader: Leader,
  values: V,
  use: (start: RankStart<V>) => Promise<number>,
  place: RankPlace,
): Promise<number> {
  const { transport } = leader;
  try {
    const start = () =>
      rankedEngine(leader, () => startEngine(values, { localRank: place.localRank }), project.version, {
        host: place.host,
      });
    const code = await use({ start, values });
    if (await leader.end(EXIT.ok)) {
      // Launchers end all ranks when one has a code: they have ended, but for their last instructions.
      if (code !== EXIT.ok) await new Promise((resolve) => setTimeout(resolve, OTHERS_LEAVE));
      return code;
    }
    throw new UserError("RANK_SILENT", "All is done, and some rank does not end", "look at its node and its log");
  } catch (error) {
    if (await leader.end(EXIT.unable).catch(() => false)) throw error;
    printFailure(error);
    await transport.fail(reasonOf(error));
    transport.abort(EXIT.unable);
    return EXIT.unable;
  }
}

/** Prints nothing but what went wrong here. */
async function follow(transport: Transport, values: RankValues, place: RankPlace): Promise<number> {
  holdSignals();
  const start = () => startEngine(values, { tell: () => {}, localRank: place.localRank });
  try {
    const code = await followRanks(transport, start, project.version, { host: place.host });
    if (!await transport.close()) transport.abort(EXIT.unable);
    return code;
  } catch (error) {
    if (!hasCode(error, "RANK_ENDED")) {
      printError(`rank ${transport.rank}:`);
      printFailure(error);
      await transport.fail(reasonOf(error));
    }
    await new Promise((resolve) => setTimeout(resolve, LEADER_SPEAKS));
    transport.abort(EXIT.unable);
    return EXIT.unable;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
