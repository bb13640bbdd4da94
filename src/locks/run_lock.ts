/**
 * The lock of one run. Where the file system has locks (flock), the system frees them when their process ends, however it
 * ends; beside it lies a lease, which says who works on the run, and holds between hosts where the lock does not: on
 * file systems that refuse locks, and on those that keep them to one node (`nolock` and `local_lock` of NFS,
 * `localflock` of Lustre).
 */
import type { RunKey } from "../experiment/run/run.ts";
import { UserError } from "../errors.ts";
import { DENO_FILES } from "../files/deno_file_system.ts";
import { makeFolderDurably } from "../files/durable.ts";
import { fileError } from "../files/file_error.ts";
import type { FileHandle, FileSystem } from "../files/file_system.ts";
import { isLockRefused } from "../files/lock_refused.ts";
import {
  findLease,
  type FoundLease,
  isHeld,
  Lease,
  LEASE_TIMES,
  type LeaseEnd,
  type LeasePlace,
  type LeaseProgress,
  type LeaseTimes,
} from "./lease.ts";
import { type LockOwner, ownerInWords, thisProcess } from "./lock_owner.ts";

/** The folder of all runs' locks, in the output folder; what is in it says nothing that a result depends on. */
export const LOCKS_FOLDER = ".locks";

/** A run by what its lock is named for. */
export interface LockedRun {
  readonly key: RunKey;
  readonly label: string;
}

/** How locks are taken. */
export interface LockOptions {
  readonly files?: FileSystem;
  readonly times?: LeaseTimes;
  /** this process, by default */
  readonly owner?: LockOwner;
}

/** A run that somebody else holds. */
export interface HeldRun {
  readonly kind: "held";
  /** as far as it is known */
  readonly owner?: LockOwner;
  /** the lease that may be that of a dead process: {@linkcode watchLeases} finds out. Absent where its process lives */
  readonly lease?: FoundLease;
  /** whether the system's lock was free all the same, so that it does not reach the lease's holder if that one lives */
  readonly isBeyondSystemLock?: boolean;
}

/** Where the lease of a run lies. */
export function leasePlace(output: string, { key }: Pick<LockedRun, "key">, files?: FileSystem): LeasePlace {
  return { folder: `${output}/${LOCKS_FOLDER}`, name: key.slice(0, 16), files };
}

/** The lock of a run that this process holds. */
export class RunLock implements AsyncDisposable {
  /** tells a lock from a run that somebody else holds */
  readonly kind = "lock";
  #progress: LeaseProgress | undefined;
  #last: { readonly step: number; readonly time: number } | undefined;
  #beating: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setInterval> | undefined;

  private constructor(
    private readonly run: LockedRun,
    private readonly lease: Lease,
    private readonly handle: FileHandle | undefined,
    /** what the user should know of how the lock was taken, in whole sentences */
    readonly notes: readonly string[],
    beat: number,
  ) {
    this.#timer = setInterval(() => this.#beat(), beat);
    Deno.unrefTimer(this.#timer);
  }

  /**
   * Takes the lock of a run, if it is free.
   *
   * @param dead a lease whose holder was watched and gave no sign of life
   * @throws {UserError} if the lock's files cannot be read or written
   */
  static async tryTake(
    output: string,
    run: LockedRun,
    { files = DENO_FILES, times = LEASE_TIMES, owner = thisProcess() }: LockOptions = {},
    dead?: FoundLease,
  ): Promise<RunLock | HeldRun> {
    const place = leasePlace(output, run, files);
    const path = `${place.folder}/${place.name}.lock`;
    await makeFolderDurably(place.folder, files);
    const locked = await lockFile(path, files);
    if (locked === "taken") {
      const found = await findLease(place);
      return { kind: "held", ...(isHeld(found) ? { owner: found.record.owner } : {}) };
    }
    const handle = locked === "refused" ? undefined : locked;
    const notes: string[] = [];
    try {
      // Of the processes of one host the system's lock is free, so that a lease of that host is a dead one's.
      const isFree = ({ sign, record }: FoundLease & { readonly record: { readonly owner: LockOwner } }) => {
        const isOfThisHost = handle !== undefined && owner.host !== undefined && record.owner.host === owner.host;
        if (!isOfThisHost && sign !== dead?.sign) return false;
        notes.push(
          `Run "${run.label}" was left by ${ownerInWords(record.owner)} without finishing; resuming from there`,
        );
        return true;
      };
      const taken = await Lease.tryTake(place, owner, isFree);
      if (taken instanceof Lease) return new RunLock(run, taken, handle, notes, times.beat);
      handle?.close();
      const isBeyondSystemLock = handle !== undefined;
      return {
        kind: "held",
        lease: taken,
        isBeyondSystemLock,
        owner: taken.record?.owner,
      };
    } catch (error) {
      handle?.close();
      throw error;
    }
  }

  /** Whether the file system has locks; false where only the lease holds. */
  get hasSystemLock(): boolean {
    return this.handle !== undefined;
  }

  /** What the next signs of life say. */
  tell(step: number, loss?: number): void {
    const { stepsPerSecond, loss: before } = this.#progress ?? {};
    const known = loss !== undefined && Number.isFinite(loss) ? loss : before;
    this.#progress = {
      step,
      loss: known,
      stepsPerSecond,
    };
  }

  /**
   * Makes sure that nobody took the run over, before something is written that lasts.
   *
   * @throws {UserError} `RUN_TAKEN_OVER`
   */
  async requireHeld(): Promise<void> {
    if (await this.lease.isHeld()) return;
    throw new UserError(
      "RUN_TAKEN_OVER",
      `Run "${this.run.label}" was taken over by another process, for which this one had given no sign of life too long`,
      "leave it to the other one; if it happens again, look for a file system that hangs",
    );
  }

  /** A sign of life. One that fails is made up for by the next. */
  #beat(): void {
    if (this.#progress !== undefined) {
      const { step } = this.#progress;
      const time = performance.now();
      const seconds = (time - (this.#last?.time ?? time)) / 1000;
      const steps = step - (this.#last?.step ?? step);
      if (seconds > 0 && steps > 0) this.#progress = { ...this.#progress, stepsPerSecond: steps / seconds };
      if (steps > 0 || this.#last === undefined) this.#last = { step, time };
    }
    this.#beating = this.#beating.then(() => this.lease.beat(this.#progress)).catch(() => {});
  }

  /** Lets the run go. The lease says how it ended. */
  async release(end: LeaseEnd): Promise<void> {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#beating;
    try {
      // Where somebody took it over, the lease is theirs; where this fails, the next one takes over a dead one.
      if (await this.lease.isHeld()) await this.lease.release(end, this.#progress);
    } catch {
      // As said.
    } finally {
      this.handle?.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release({ kind: "stopped" });
  }
}

/** The file's lock; or that it is taken, or that the file system has none. */
async function lockFile(path: string, files: FileSystem): Promise<FileHandle | "taken" | "refused"> {
  let handle: FileHandle | undefined;
  try {
    handle = await files.open(path, "update");
    if (await handle.tryLock()) return handle;
    handle.close();
    return "taken";
  } catch (error) {
    handle?.close();
    if (handle !== undefined && isLockRefused(error)) return "refused";
    throw fileError(error, "lock", path);
  }
}

/** What watching leases found out. */
export interface Watched {
  /** leases that stayed as they were for the lease's time */
  readonly dead: readonly FoundLease[];
  /** those that changed: their holders live, or have let go */
  readonly changed: readonly FoundLease[];
}

/**
 * Watches leases until one is found dead, or all have shown signs of life.
 *
 * @param signal aborted: ends at once, with what was found out so far
 */
export async function watchLeases(
  places: readonly { readonly place: LeasePlace; readonly lease: FoundLease }[],
  { times = LEASE_TIMES, signal }: { readonly times?: LeaseTimes; readonly signal?: AbortSignal } = {},
): Promise<Watched> {
  const start = performance.now();
  const changed = new Set<FoundLease>();
  for (;;) {
    const rest = places.filter(({ lease }) => !changed.has(lease));
    if (rest.length === 0 || signal?.aborted === true) return { dead: [], changed: [...changed] };
    if (performance.now() - start >= times.expiry) {
      return { dead: rest.map(({ lease }) => lease), changed: [...changed] };
    }
    await pause(times.beat / 3, signal);
    for (const { place, lease } of rest) {
      const now = await findLease(place);
      if (now?.sign !== lease.sign || now.generation !== lease.generation) changed.add(lease);
    }
  }
}

/** Waits; not on, when a signal is aborted. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end);
  });
}

/**
 * Takes a run whose holder may be dead, once it is sure that it is: for the time of a lease its sign of life is watched.
 *
 * @returns the lock; or who holds the run, at the first sign of life
 */
export async function watchRun(
  output: string,
  run: LockedRun,
  held: HeldRun,
  options: LockOptions & { readonly signal?: AbortSignal } = {},
): Promise<RunLock | HeldRun> {
  const { lease } = held;
  if (lease === undefined) return held;
  const place = leasePlace(output, run, options.files);
  const { dead } = await watchLeases([{ place, lease }], options);
  return dead.length === 0 ? held : await RunLock.tryTake(output, run, options, dead[0]);
}
