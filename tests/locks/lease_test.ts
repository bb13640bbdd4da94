import assert from "node:assert/strict";
import { findLease, isHeld, Lease, type LeasePlace } from "../../src/locks/lease.ts";
import type { LockOwner } from "../../src/locks/lock_owner.ts";
import { SimulatedDisk } from "../faults/simulated_disk.ts";

const owner = (host: string): LockOwner => ({ pid: 1, host, startedAt: "2026-12-01T00:00:00.000Z" });

function place(disk = new SimulatedDisk(new Map([["/out", undefined]]))): LeasePlace {
  return { folder: "/out/.locks", name: "0123456789abcdef", files: disk.files };
}

const never = () => false;

async function take(at: LeasePlace, host: string, isFree: Parameters<typeof Lease.tryTake>[2] = never): Promise<Lease> {
  const taken = await Lease.tryTake(at, owner(host), isFree);
  assert(taken instanceof Lease, host);
  return taken;
}

Deno.test("Lease.tryTake() gives a lease to one of many who ask at once", async () => {
  const at = place();
  const taken = await Promise.all(
    Array.from({ length: 20 }, (_, index) => Lease.tryTake(at, owner(`host-${index}`), never)),
  );
  const leases = taken.filter((each) => each instanceof Lease);
  assert.equal(leases.length, 1);
  assert(await leases[0]?.isHeld());
  const found = await findLease(at);
  assert(isHeld(found));
  for (const other of taken) if (!(other instanceof Lease)) assert.equal(other.generation, found.generation);
});

Deno.test("Lease.tryTake() gives a released lease to the next, and a held one to whoever knows its holder to be dead", async () => {
  const at = place();
  const first = await take(at, "a");
  await first.release({ kind: "done" }, { step: 7, loss: 2.5 });
  const found = await findLease(at);
  assert.deepEqual(found?.record?.end, { kind: "done" });
  assert.deepEqual(found?.record?.progress, { step: 7, loss: 2.5 });

  const second = await take(at, "b");
  assert.equal(await first.isHeld(), false);
  const refused = await Lease.tryTake(at, owner("c"), never);
  assert(!(refused instanceof Lease) && refused.record?.owner.host === "b");
  const third = await take(at, "c", ({ record }) => record.owner.host === "b");
  assert.equal(await second.isHeld(), false);
  assert(await third.isHeld());
});

Deno.test("Lease.beat() changes what others see, and a holder that was slow cannot take back what it lost", async () => {
  const at = place();
  const slow = await take(at, "slow");
  const before = await findLease(at);
  await slow.beat({ step: 1 });
  assert.notEqual((await findLease(at))?.sign, before?.sign);

  const next = await take(at, "next", () => true);
  await slow.beat({ step: 2 }); // its file comes back, of an older generation
  assert(await next.isHeld());
  assert.equal(await slow.isHeld(), false);
  assert.equal((await findLease(at))?.record?.owner.host, "next");
});

Deno.test("Lease.tryTake() takes a file that its maker did not come to fill for free", async () => {
  const disk = new SimulatedDisk(
    new Map<string, Uint8Array<ArrayBuffer> | undefined>([
      ["/out", undefined],
      ["/out/.locks", undefined],
      ["/out/.locks/0123456789abcdef.000004.lease", new TextEncoder().encode('{"owner":{"pid":1')],
    ]),
  );
  const lease = await take(place(disk), "a");
  assert(await lease.isHeld());
  assert.equal((await findLease(place(disk)))?.generation, 5);
});

Deno.test("Lease leaves one file, whatever was there before", async () => {
  const disk = new SimulatedDisk(new Map([["/out", undefined]]));
  for (let i = 0; i < 5; i++) await (await take(place(disk), `${i}`)).release({ kind: "stopped" });
  assert.deepEqual(await disk.files.readFolder("/out/.locks"), ["0123456789abcdef.000005.lease"]);
});
