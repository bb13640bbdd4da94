import assert from "node:assert/strict";
import { RunLock } from "../../src/locks/run_lock.ts";
import { formatStatus } from "../../src/cli/status_text.ts";
import { planStatus, type RunState } from "../../src/worker/status.ts";
import { SimulatedDisk } from "../faults/simulated_disk.ts";
import { EMPTY, OUTPUT, SmallSmoke } from "../faults/small_smoke.ts";
import type { FileSystem } from "../../src/files/file_system.ts";

const smoke = await SmallSmoke.make(
  ["warmup-length/0%", "warmup-length/1%", "from-scratch"],
  (step, rate) => rate > 0.01 && step > 5 ? NaN : undefined,
);
const { plan } = smoke;

async function shared(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk(EMPTY);
  await smoke.share(disk.files);
  return disk;
}

const statesOf = async (files: FileSystem) =>
  (await planStatus(plan, OUTPUT, { files })).runs.map(({ state }) => state);

/** Files whose contents changed at a time. */
function modifiedAt(files: FileSystem, time: number): FileSystem {
  return {
    ...files,
    status: async (path) => {
      const status = await files.status(path);
      return status === undefined ? undefined : { ...status, modifiedAt: time };
    },
  };
}

Deno.test("planStatus() says what is ready, what waits and for what, what is stopped and what is done", async () => {
  const disk = await shared();
  const before = await planStatus(plan, OUTPUT, { files: disk.files });
  assert.deepEqual(
    before.runs.map(({ state }) => state),
    ["ready", "waiting", "waiting", "ready"] satisfies RunState[],
  );
  assert.equal(before.runs[1]?.reason, 'it starts from run "upstream_pretrain_seed-0"');

  const controller = new AbortController();
  await smoke.work(disk.files, {
    run: plan.runs[0],
    signal: controller.signal,
    onProgress: ({ step }) => step >= 20 && controller.abort(),
  });
  const stopped = (await planStatus(plan, OUTPUT, { files: disk.files })).runs[0];
  assert.equal(stopped?.state, "stopped");
  assert(stopped.step >= 20 && stopped.step < stopped.steps && stopped.loss !== undefined);

  await smoke.work(disk.files);
  assert.deepEqual(await statesOf(disk.files), ["done", "done", "done", "done"] satisfies RunState[]);
});

Deno.test("planStatus() says who works on a run, how far it is, and when it has been silent", async () => {
  const disk = await shared();
  const [run] = plan.runs;
  assert(run !== undefined);
  const owner = { pid: 7, host: "node-3", job: "slurm 88", startedAt: "2026-12-01T03:00:00.000Z" };
  const lock = await RunLock.tryTake(OUTPUT, run, { files: disk.files, owner });
  assert(lock.kind === "lock");
  const at = Date.parse("2026-12-01T04:00:00.000Z");
  const look = (seconds: number) =>
    planStatus(plan, OUTPUT, { files: modifiedAt(disk.files, at), now: at + 1000 * seconds });
  assert.equal((await look(10)).runs[0]?.state, "running");
  const silent = await look(600);
  assert.equal(silent.runs[0]?.state, "silent");
  assert.match(
    formatStatus(silent),
    /silent +upstream_pretrain_seed-0 +0\/64 +on node-3 \(slurm 88\), since 2026-12-01 03:00 UTC, no sign of life for 10 min/,
  );
  const skewed = await look(-120);
  assert.equal(skewed.runs[0]?.state, "running");
  assert.match(skewed.notes.join(), /clock is 120 s behind that of the files/);
  await lock.release({ kind: "failed", reason: "Cannot write, the disk is full [NO_SPACE]" });
  const failed = await look(10);
  assert.equal(failed.runs[0]?.state, "failed");
  assert.match(formatStatus(failed), /failed +upstream_pretrain_seed-0 .*the disk is full \[NO_SPACE\]/);
});

Deno.test("planStatus() writes nothing", async () => {
  const disk = await shared();
  const before = disk.afterStop("kept");
  await planStatus(plan, OUTPUT, { files: disk.files });
  assert.deepEqual([...disk.afterStop("kept").keys()], [...before.keys()]);
});
