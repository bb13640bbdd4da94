/** `deno task data status`: what is pinned, what of it is here. */
import { type DataLock, readDataLock } from "../../data/data_lock.ts";
import {
  describePin,
  type LockedRepository,
  lockedRepository,
  lockId,
  type NamedRepository,
} from "../../data/hub/lock.ts";
import { cachedFiles } from "../../data/hub/named_files.ts";
import { importedPath, weightsHeader } from "../../data/hub/start_weights.ts";
import { ownMember } from "../../digest/own_member.ts";
import { shortDigest } from "../../digest/sha256.ts";
import { UserError } from "../../errors.ts";
import type { HubCache } from "../../hub/cache.ts";
import { bytesIn, counted, type DataContext, describeLock, filesFor, repositoriesOf, type Use } from "../data_uses.ts";
import { formatBytes } from "../download_progress.ts";
import { print } from "../../terminal.ts";

/** Prints it, without asking the hub. */
export async function showDataStatus({ uses, cache, lockPath }: DataContext): Promise<void> {
  const lock = await readDataLock(lockPath);
  print(`${await describeLock(lockPath)}\n`);
  for (const [id, repository] of repositoriesOf(uses)) {
    const pin = ownMember(lock.hub, id);
    if (pin === undefined) {
      print(`${id}\n  not locked: run "deno task data lock"`);
      continue;
    }
    print(`${id}\n  locked: ${describePin(pin)}`);
    const locked = await knownHere(cache, lock, repository);
    for (const use of uses.filter(({ repository }) => lockId(repository) === id)) {
      const label = `${use.part} of ${use.scale.name}`.padEnd(20);
      print(`  ${label}  ${locked === undefined ? "nothing here" : await describeUse(cache, use, locked)}`);
    }
  }
}

/** A locked repository if the list of its files is here. */
async function knownHere(
  cache: HubCache,
  lock: DataLock,
  repository: NamedRepository,
): Promise<LockedRepository | undefined> {
  try {
    return await lockedRepository(undefined, cache, lock, repository);
  } catch (error) {
    if (error instanceof UserError && error.code === "LISTING_NOT_CACHED") return undefined;
    throw error;
  }
}

async function describeUse(cache: HubCache, use: Use, locked: LockedRepository): Promise<string> {
  const needed = filesFor(use, locked);
  const here = await cachedFiles(cache, needed);
  const files = `${here.length} of ${counted(needed.length)}, ${formatBytes(bytesIn(here))} of ${
    formatBytes(bytesIn(needed))
  }`;
  if (use.part !== "start") return files;
  const header = await weightsHeader(importedPath(cache, locked));
  return `${files}, ${header === undefined ? "not imported" : `imported: weights ${shortDigest(header.weights)}`}`;
}
