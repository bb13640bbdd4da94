import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { UserError } from "../../src/errors.ts";
import type { FileSystem } from "../../src/files/file_system.ts";
import type { RunKey } from "../../src/experiment/run/run.ts";
import type { LockOwner } from "../../src/locks/lock_owner.ts";
import { RunLock, watchRun } from "../../src/locks/run_lock.ts";
import { SimulatedDisk } from "../faults/simulated_disk.ts";

const RUN = { key: sha256("a run") as RunKey, label: "a-run_seed-0" };
const TIMES = { beat: 20, expiry: 120 };

const owner = (host: string, pid = 1): LockOwner => ({ pid, host, startedAt: "2026-12-01T00:00:00.000Z" });

function newDisk(): SimulatedDisk {
  return new SimulatedDisk(new Map([["/out", undefined]]));
}

/** The files of another host, whose locks this one does not see, or of a file system that has none. */
function withLocks(files: FileSystem, tryLock: () => Promise<boolean>): FileSystem {
  return { ...files, open: async (...args) => ({ ...await files.open(...args), tryLock }) };
}

const nodeLocal = (disk: SimulatedDisk) => withLocks(disk.files, () => Promise.resolve(true));
const refusing = (disk: SimulatedDisk) =>
  withLocks(disk.files, () => Promise.reject(Object.assign(new Error("no locks"), { code: "ENOLCK" })));

async function take(files: FileSystem, who: LockOwner): Promise<RunLock> {
  const lock = await RunLock.tryTake("/out", RUN, { files, owner: who, times: TIMES });
  assert(lock.kind === "lock", JSON.stringify(lock));
  return lock;
}

Deno.test("RunLock.tryTake() gives a run to one process, and names it to the others", async () => {
  const { files } = newDisk();
  await using _lock = await take(files, owner("node-1", 11));
  const other = await RunLock.tryTake("/out", RUN, { files, owner: owner("node-1", 12), times: TIMES });
  assert(other.kind === "held");
  assert.equal(other.owner?.pid, 11);
  assert.equal(other.lease, undefined, "its process lives: the system's lock is its own");
});

Deno.test("RunLock.tryTake() takes over at once from a process of this host that was killed, and says so", async () => {
  const disk = newDisk();
  const killed = await take(disk.files, owner("node-1", 11));
  await using lock = await take(disk.afterKill().files, owner("node-1", 12));
  assert.match(
    lock.notes.join(),
    /Run "a-run_seed-0" was left by process 11 on node-1, started .* resuming from there/,
  );
  await killed.release({ kind: "stopped" });
});

for (const [name, filesOf] of [["has no locks", refusing], ["keeps locks to one node", nodeLocal]] as const) {
  Deno.test(`watchRun() on a file system that ${name}: a live holder keeps its run, a dead one's is taken over`, async () => {
    const disk = newDisk();
    const first = await take(filesOf(disk), owner("node-1"));
    const options = { files: filesOf(disk), owner: owner("node-2"), times: TIMES };
    const held = await RunLock.tryTake("/out", RUN, options);
    assert(held.kind === "held" && held.lease !== undefined);
    const watched = await watchRun("/out", RUN, held, options);
    assert(watched.kind === "held", "it shows signs of life");

    // The machine is gone, and its timers with it: what it left lies on the disk.
    const left = disk.afterKill();
    await first.release({ kind: "stopped" });
    const later = { ...options, files: filesOf(left) };
    const dead = await RunLock.tryTake("/out", RUN, later);
    assert(dead.kind === "held");
    await using lock = await watchRun("/out", RUN, dead, later) as RunLock;
    assert.equal(lock.kind, "lock");
    assert.match(lock.notes.join(), /was left by process 1 on node-1/);
    await lock.requireHeld();
  });
}

Deno.test("RunLock.requireHeld() stops a holder that was taken for dead", async () => {
  const disk = newDisk();
  await using slow = await take(refusing(disk), owner("node-1"));
  const held = await RunLock.tryTake("/out", RUN, { files: refusing(disk), owner: owner("node-2"), times: TIMES });
  assert(held.kind === "held" && held.lease !== undefined);
  await using next = await RunLock.tryTake(
    "/out",
    RUN,
    { files: refusing(disk), owner: owner("node-2"), times: TIMES },
    held.lease,
  ) as RunLock;
  await next.requireHeld();
  await assert.rejects(slow.requireHeld(), (error) => error instanceof UserError && error.code === "RUN_TAKEN_OVER");
});

Deno.test("RunLock tells how far its run is, and how it ended", async () => {
  const disk = newDisk();
  const lock = await take(disk.files, owner("node-1"));
  lock.tell(8, 3.25);
  lock.tell(12);
  await lock.release({ kind: "failed", reason: "the disk is full" });
  const [name = ""] = (await disk.files.readFolder("/out/.locks")).filter((file) => file.endsWith(".lease"));
  const image = disk.afterStop("kept").get(`/out/.locks/${name}`);
  const { progress, end } = JSON.parse(new TextDecoder().decode(image));
  assert.deepEqual(progress, { step: 12, loss: 3.25 });
  assert.deepEqual(end, { kind: "failed", reason: "the disk is full" });
});
