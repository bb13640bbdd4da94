/** Workers that share one output folder, on a simulated disk. */
import assert from "node:assert/strict";
import { RunLock } from "../../src/locks/run_lock.ts";
import { Deadline } from "../../src/train/deadline.ts";
import { below, firstDifference } from "../faults/disk_image.ts";
import { SimulatedDisk } from "../faults/simulated_disk.ts";
import { EMPTY, folderOfRun, OUTPUT, SmallSmoke } from "../faults/small_smoke.ts";
import { UserError } from "../../src/errors.ts";

const smoke = await SmallSmoke.make();
const { runs } = smoke.plan;
const [PRETRAINING] = runs;
assert(PRETRAINING !== undefined);
const TIMES = { beat: 30, expiry: 200 };

/** What one process leaves. */
const undisturbed = await (async () => {
  const disk = new SimulatedDisk(EMPTY);
  await smoke.train(runs, disk.files);
  return disk.afterStop("lost");
})();

function assertSame(disk: SimulatedDisk): void {
  const folders = runs.map(folderOfRun);
  assert.equal(firstDifference(below(disk.afterStop("lost"), folders), below(undisturbed, folders)), undefined);
}

async function shared(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk(EMPTY);
  await smoke.share(disk.files);
  return disk;
}

Deno.test("eight workers that join at once leave what one process leaves, and train no step twice", async () => {
  const disk = await shared();
  const plan = disk.afterStop("kept").get(`${OUTPUT}/plan.json`);
  const before = smoke.steps;
  const taken: string[] = [];
  const ends = await Promise.all(
    Array.from(
      { length: 8 },
      () => smoke.work(disk.files, { wait: true, times: TIMES, onTake: ({ label }) => taken.push(label) }),
    ),
  );
  assert.deepEqual(ends.map(({ kind }) => kind), new Array(8).fill("done"));
  assertSame(disk);
  assert.equal(smoke.steps - before, runs.reduce((sum, { steps }) => sum + steps, 0));
  assert.deepEqual(taken.toSorted(), runs.map(({ label }) => label).toSorted());
  assert.equal(disk.afterStop("kept").get(`${OUTPUT}/plan.json`), plan, "the plan is left alone");
});

Deno.test("workers without --wait end when nothing is ready and free, and say why", async () => {
  const disk = await shared();
  const lock = await RunLock.tryTake(OUTPUT, PRETRAINING, { files: disk.files });
  assert(lock.kind === "lock");
  const done: string[] = [];
  const end = await smoke.work(disk.files, { onRun: ({ run }) => done.push(run.label) });
  assert(end.kind === "waiting");
  assert.deepEqual(done, ["from-scratch_scratch_seed-0"], "what starts from nothing is free");
  assert.equal(end.blocked.length, runs.length - 1);
  const reasons = end.blocked.map(({ reason }) => reason).join("\n");
  assert.match(reasons, /it is in training by process \d+/);
  assert.match(reasons, /it starts from run "upstream_pretrain_seed-0", which is not done/);
  await lock.release({ kind: "stopped" });
});

Deno.test("a worker of one run trains that run alone, waits for its parent, and finds it done the next time", async () => {
  const disk = await shared();
  const child = runs.find(({ specification }) => specification.initialWeights.kind === "checkpoint");
  assert(child !== undefined);
  assert.equal((await smoke.work(disk.files, { run: child })).kind, "waiting");
  assert.equal((await smoke.work(disk.files, { run: PRETRAINING })).kind, "done");
  const before = smoke.steps;
  assert.equal((await smoke.work(disk.files, { run: child })).kind, "done");
  assert.equal(smoke.steps - before, child.steps);
  assert.equal((await smoke.work(disk.files, { run: child })).kind, "done");
  assert.equal(smoke.steps - before, child.steps);
  const there = [...disk.afterStop("lost").keys()].filter((path) => path.endsWith("/run.json"));
  assert.equal(there.length, 2);
});

Deno.test("two workers that want one run: one trains it, the other is told by whom it is held", async () => {
  const disk = await shared();
  const ends = await Promise.all([1, 2].map(() => smoke.work(disk.files, { run: PRETRAINING })));
  assert.deepEqual(ends.map(({ kind }) => kind).toSorted(), ["done", "waiting"]);
});

Deno.test("a worker that is stopped leaves a checkpoint, from which another resumes", async () => {
  const disk = await shared();
  const controller = new AbortController();
  const stopped = await smoke.work(disk.files, {
    signal: controller.signal,
    onProgress: ({ step }) => step >= 20 && controller.abort(),
  });
  assert(stopped.kind === "stopped");
  assert.match(stopped.message, /^Stopped at step \d+ of run /);
  assert.equal((await smoke.work(disk.files)).kind, "done");
  assertSame(disk);
});

Deno.test("a worker stops before its job ends, and refuses a job that is too short for a step", async () => {
  const disk = await shared();
  let now = 0;
  const before = smoke.steps;
  const stopped = await smoke.work(disk.files, {
    deadline: new Deadline(100_000, () => now),
    onProgress: ({ step }) => now = step >= 12 ? 60_000 : 0,
  });
  assert(stopped.kind === "stopped", stopped.kind);
  assert(smoke.steps - before >= 12);
  await assert.rejects(
    smoke.work(disk.files, { deadline: new Deadline(30_000, () => 0) }),
    (error) =>
      error instanceof UserError && error.code === "TIME_LIMIT_TOO_SHORT" && /The job ends in 30 s/.test(error.message),
  );
  assert.equal((await smoke.work(disk.files)).kind, "done");
  assertSame(disk);
});

Deno.test("a worker makes a run good whose record and journal differ, before it starts another from it", async () => {
  const disk = await shared();
  await smoke.work(disk.files, { run: PRETRAINING });
  const path = `${folderOfRun(PRETRAINING)}/journal.jsonl`;
  const image = new Map(disk.afterStop("lost"));
  const journal = image.get(path);
  assert(journal !== undefined);
  image.set(path, journal.slice(0, journal.length - 10));
  const damaged = new SimulatedDisk(image);
  const warnings: string[] = [];
  assert.equal((await smoke.work(damaged.files, { onWarning: (text) => warnings.push(text) })).kind, "done");
  assert.match(warnings.join("\n"), /Run "upstream_pretrain_seed-0" is not taken as it lies in the folder/);
  assertSame(damaged);
});
