/**
 * A lease: the lock of those whose file system has none between hosts. It is a file that its holder replaces every few
 * seconds; whoever sees it unchanged for the lease's time may take it over.
 *
 * No two clocks are compared: a watcher measures with its own clock how long a file that it watches stays the same. So
 * hosts whose clocks differ do no harm, nor does a file server that has a clock of its own.
 *
 * Each holder makes the file of the next generation, which only one can make (`O_EXCL`, atomic on NFS from version 3
 * on), and the highest generation holds. It is never removed, so that a slow watcher cannot recreate an older one and
 * hold beside the one that came after it. A holder asks before it writes what lasts whether it still holds.
 */
import { z } from "zod";
import { DENO_FILES } from "../files/deno_file_system.ts";
import { makeFolderDurably, writeAll } from "../files/durable.ts";
import { errnoOf, fileError } from "../files/file_error.ts";
import type { FileSystem } from "../files/file_system.ts";
import { readFileBounded } from "../files/read_file.ts";
import { hasCode } from "../errors.ts";
import { type LockOwner, lockOwnerSchema } from "./lock_owner.ts";

/** How often holders show that they live, and after how long without it they count as dead; milliseconds. */
export interface LeaseTimes {
  readonly beat: number;
  readonly expiry: number;
}

/** A holder may be held up for a minute, by the digest of a large state or a slow disk, and is not taken for dead. */
export const LEASE_TIMES: LeaseTimes = { beat: 15_000, expiry: 90_000 };

/** How far whoever holds a run's lease has got with it. */
export interface LeaseProgress {
  /** optimizer steps done */
  readonly step: number;
  /** loss of the last batch, nats a token */
  readonly loss?: number;
  /** steps a second, over the last beats */
  readonly stepsPerSecond?: number;
}

/** How a holder let go: what it did with the run, and why where it failed. */
export interface LeaseEnd {
  readonly kind: "done" | "stopped" | "failed";
  readonly reason?: string;
}

/** What stands in the file of a lease. */
export interface LeaseRecord {
  readonly owner: LockOwner;
  /** tells two leases of one process apart */
  readonly id: string;
  /** grows with every sign of life */
  readonly beats: number;
  readonly progress?: LeaseProgress;
  /** there once the lease is free again */
  readonly end?: LeaseEnd;
}

const recordSchema: z.ZodType<LeaseRecord> = z.strictObject({
  owner: lockOwnerSchema,
  id: z.string().max(100),
  beats: z.int().min(0),
  progress: z.strictObject({
    step: z.int().min(0),
    loss: z.number().exactOptional(),
    stepsPerSecond: z.number().exactOptional(),
  }).exactOptional(),
  end: z.strictObject({
    kind: z.enum(["done", "stopped", "failed"]),
    reason: z.string().exactOptional(),
  }).exactOptional(),
});

const MAX_LEASE_BYTES = 1 << 16;
const MAX_REASON_LENGTH = 4000;
/** Times that somebody else may be quicker before it is no accident. */
const MOST_ATTEMPTS = 100;

/** A lease as it is found. */
export interface FoundLease {
  readonly generation: number;
  /** the bytes of the file as text: two that are equal show no sign of life between them */
  readonly sign: string;
  /** undefined where its maker died while it wrote, which then holds nothing */
  readonly record?: LeaseRecord;
}

/** Where leases lie, and by what name one is known there. */
export interface LeasePlace {
  readonly folder: string;
  /** safe as the name of a file */
  readonly name: string;
  readonly files?: FileSystem;
}

function generationOf(file: string, name: string): number | undefined {
  if (!file.startsWith(`${name}.`) || !file.endsWith(".lease")) return undefined;
  const digits = file.slice(name.length + 1, -".lease".length);
  return /^\d{6,15}$/.test(digits) ? Number(digits) : undefined;
}

/** The file of a lease. */
export function leasePath({ folder, name }: LeasePlace, generation: number): string {
  return `${folder}/${name}.${String(generation).padStart(6, "0")}.lease`;
}

async function generations({ folder, name, files = DENO_FILES }: LeasePlace): Promise<number[]> {
  try {
    return (await files.readFolder(folder)).flatMap((file) => generationOf(file, name) ?? []).sort((a, b) => b - a);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || errnoOf(error) === "ENOENT") return [];
    throw fileError(error, "read", folder);
  }
}

/** The lease that holds, or held last; undefined where there was none yet. */
export async function findLease(place: LeasePlace): Promise<FoundLease | undefined> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const [generation] = await generations(place);
    if (generation === undefined) return undefined;
    try {
      const bytes = await readFileBounded(leasePath(place, generation), MAX_LEASE_BYTES, place.files);
      const sign = new TextDecoder().decode(bytes);
      const record = parse(sign);
      return { generation, sign, record };
    } catch (error) {
      // A later generation, or a beat, has taken its place meanwhile. NFS says of a file that is gone ESTALE.
      const isStale = error instanceof Error && errnoOf(error.cause) === "ESTALE";
      if (!isStale && !hasCode(error, "FILE_NOT_FOUND", "FILE_CHANGED")) throw error;
    }
  }
  throw new Error(`The leases of "${place.name}" change too fast to be read`);
}

function parse(text: string): LeaseRecord | undefined {
  try {
    return recordSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Whether a lease that was found is held by somebody, alive or not. */
export function isHeld(found: FoundLease | undefined): found is FoundLease & { readonly record: LeaseRecord } {
  return found?.record !== undefined && found.record.end === undefined;
}

/** A lease that is held, until it is released or somebody takes it over. */
export class Lease {
  #record: LeaseRecord;

  private constructor(
    private readonly place: LeasePlace,
    private readonly generation: number,
    record: LeaseRecord,
  ) {
    this.#record = record;
  }

  /**
   * Takes a lease that is free, or that the caller knows to be.
   *
   * @param isFree whether a lease that somebody holds counts as free: its holder is dead
   * @returns the lease, or the one that is in the way
   */
  static async tryTake(
    place: LeasePlace,
    owner: LockOwner,
    isFree: (found: FoundLease & { readonly record: LeaseRecord }) => boolean,
  ): Promise<Lease | FoundLease> {
    const { folder, files = DENO_FILES } = place;
    await makeFolderDurably(folder, files);
    const record = { owner, id: crypto.randomUUID(), beats: 0 };
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const found = await findLease(place);
      if (isHeld(found) && !isFree(found)) return found;
      const generation = (found?.generation ?? 0) + 1;
      if (!await make(leasePath(place, generation), record, files)) continue;
      const [highest, ...others] = await generations(place);
      if (highest !== generation) continue;
      await removeOthers(place, others);
      return new Lease(place, generation, record);
    }
    throw new Error(`The leases of "${place.name}" change too fast to be taken`);
  }

  /** Whether nobody took it over. */
  async isHeld(): Promise<boolean> {
    const [highest] = await generations(this.place);
    return highest === this.generation;
  }

  /** Shows that its holder lives, and how far it has got. */
  async beat(progress = this.#record.progress): Promise<void> {
    await this.#replace({ ...this.#record, beats: this.#record.beats + 1, progress });
  }

  /** Lets it go. */
  async release({ kind, reason }: LeaseEnd, progress = this.#record.progress): Promise<void> {
    await this.#replace({
      ...this.#record,
      beats: this.#record.beats + 1,
      progress,
      end: { kind, reason: reason?.slice(0, MAX_REASON_LENGTH) },
    });
  }

  /** Whole or not at all for whoever reads it; nothing is flushed, since after a power cut nobody holds it. */
  async #replace(record: LeaseRecord): Promise<void> {
    const { folder, name, files = DENO_FILES } = this.place;
    const path = leasePath(this.place, this.generation);
    const temporary = `${folder}/.${name}.${crypto.randomUUID().slice(0, 8)}.partial`;
    try {
      await write(temporary, record, files);
      await files.rename(temporary, path);
      this.#record = record;
    } catch (error) {
      await files.remove(temporary).catch(() => {});
      throw fileError(error, "write", path);
    }
  }
}

async function write(path: string, record: LeaseRecord, files: FileSystem): Promise<void> {
  const handle = await files.open(path, "create");
  try {
    await writeAll(handle, new TextEncoder().encode(`${JSON.stringify(record)}\n`));
  } finally {
    handle.close();
  }
}

/** False if somebody else made it first. */
async function make(path: string, record: LeaseRecord, files: FileSystem): Promise<boolean> {
  try {
    await write(path, record, files);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists || errnoOf(error) === "EEXIST") return false;
    throw fileError(error, "write", path);
  }
}

/** What earlier holders left: nobody needs it, so that it may fail. */
async function removeOthers(
  { folder, name, files = DENO_FILES }: LeasePlace,
  others: readonly number[],
): Promise<void> {
  const leftovers = (await files.readFolder(folder).catch(() => []))
    .filter((file) => file.startsWith(`.${name}.`) && file.endsWith(".partial"))
    .map((file) => `${folder}/${file}`);
  for (const path of [...others.map((generation) => leasePath({ folder, name }, generation)), ...leftovers]) {
    await files.remove(path).catch(() => {});
  }
}
