/** What must be the same in all ranks before they compute together: each says it of itself, and rank 0 compares. */
import { canonicalJson } from "../digest/canonical_json.ts";
import { sha256 } from "../digest/sha256.ts";
import type { Engine, Session, TrainingState } from "../engine/engine.ts";
import { UserError } from "../errors.ts";
import { receiveMessage, sendMessage } from "./messages.ts";
import { bytesOf } from "./shared_step.ts";
import type { Transport } from "./transport.ts";

/** Facts by their names, as people read them. */
export type Facts = Readonly<Record<string, string>>;

/** What an engine's bits follow from. Threads and kernels are not among it: they change none. */
export function engineFacts(
  version: string,
  { name, level, arithmetic, conditions = {} }: Pick<Engine, "name" | "level" | "arithmetic" | "conditions">,
): Facts {
  return { version, engine: name, level, arithmetic, ...prefixed("condition", conditions) };
}

/** What a session's bits follow from. */
export function sessionFacts({ conditions = {} }: Pick<Session, "conditions">): Facts {
  return prefixed("condition", conditions);
}

/** The weights that a session was given. */
export function weightsFacts({ weights }: Pick<TrainingState, "weights">): Facts {
  return { "digest of the weights": sha256(bytesOf(weights)) };
}

/**
 * Refuses ranks that have the same device; all call it at the same time.
 *
 * @throws {UserError} `RANKS_SHARE_DEVICE` in rank 0, naming both
 */
export async function requireOwnDevice(transport: Transport, { deviceId }: Pick<Engine, "deviceId">): Promise<void> {
  const what = "all ranks to say which device they have";
  if (transport.rank > 0) {
    await sendMessage(transport, [{ rank: 0, header: { deviceId: deviceId ?? "" } }], what);
    return;
  }
  const owners = new Map([[deviceId ?? "", 0]]);
  for (let rank = 1; rank < transport.size; rank++) {
    const { header } = await receiveMessage(transport, rank, what);
    const { deviceId: theirs = "" } = header as { readonly deviceId?: string };
    const owner = owners.get(theirs);
    if (theirs !== "" && owner !== undefined) {
      throw new UserError(
        "RANKS_SHARE_DEVICE",
        `Ranks ${owner} and ${rank} have the same device, ${theirs}`,
        "start one rank a GPU, and let the launcher tell each its number on the node, or show it its own " +
          "(srun --gpus-per-task=1)",
      );
    }
    owners.set(theirs, rank);
  }
}

function prefixed(what: string, facts: Facts): Facts {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [`${what} "${name}"`, value]));
}

/**
 * Compares facts of all ranks; all call it at the same time.
 *
 * @throws {UserError} `RANKS_DIFFER` in rank 0, naming the first rank and fact that differ, with both values
 */
export async function requireAgreement(transport: Transport, facts: Facts, what: string): Promise<void> {
  if (transport.rank > 0) {
    await sendMessage(transport, [{ rank: 0, header: facts }], what);
    return;
  }
  const others = Array.from({ length: transport.size - 1 }, (_, i) => i + 1);
  const answers = await Promise.all(
    others.map(async (rank) => ({ rank, header: (await receiveMessage(transport, rank, what)).header })),
  );
  for (const { rank, header } of answers) {
    const theirs = header as Facts;
    if (canonicalJson(theirs) === canonicalJson(facts)) continue;
    const names = [...new Set([...Object.keys(facts), ...Object.keys(theirs)])].sort();
    const name = names.find((name) => facts[name] !== theirs[name]) ?? "";
    throw new UserError(
      "RANKS_DIFFER",
      `Ranks 0 and ${rank} do not agree on the ${name}: rank 0 has "${facts[name] ?? "nothing"}", rank ${rank} has ` +
        `"${theirs[name] ?? "nothing"}"`,
      "ranks of one run need the same clone of this project, the same options, and the same device and driver",
    );
  }
}
