/** Runs of one plan that lie in several folders. */
import assert from "node:assert/strict";
import { UserError } from "../../src/errors.ts";
import type { PlannedRun } from "../../src/experiment/run/run.ts";
import { makeFolderDurably } from "../../src/files/durable.ts";
import { gatherRuns } from "../../src/reproduce/gather.ts";
import { below, type DiskImage, firstDifference } from "../faults/disk_image.ts";
import { SimulatedDisk } from "../faults/simulated_disk.ts";
import { EMPTY, folderOfRun, OUTPUT, SmallSmoke } from "../faults/small_smoke.ts";

const ARMS = ["warmup-length/0%", "from-scratch"];
const smoke = await SmallSmoke.make(ARMS);
const { plan } = smoke;
const [PRETRAINING, CHILD, SCRATCH] = plan.runs as [PlannedRun, PlannedRun, PlannedRun];

async function trained(who: SmallSmoke, runs: readonly PlannedRun[]): Promise<DiskImage> {
  const disk = new SimulatedDisk(EMPTY);
  await who.train(runs, disk.files);
  return disk.afterStop("lost");
}

const whole = await trained(smoke, plan.runs);

/** What lies below the output folder, below another one. */
function moved(image: DiskImage, folder: string): DiskImage {
  return new Map([...image].map(([path, contents]) => [path.replace(OUTPUT, folder), contents]));
}

function without(image: DiskImage, run: PlannedRun): DiskImage {
  return new Map([...image].filter(([path]) => !path.startsWith(folderOfRun(run))));
}

function together(...images: readonly DiskImage[]): SimulatedDisk {
  return new SimulatedDisk(new Map([...EMPTY, ...images.flatMap((image) => [...image])]));
}

const gather = (disk: SimulatedDisk, others: readonly string[]) =>
  gatherRuns(plan, OUTPUT, others, disk.files, () => disk.files);

function withCode(code: string, words: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof UserError && error.code === code && words.test(error.message);
}

Deno.test("gatherRuns() copies what is done elsewhere, to the byte, and says from where", async () => {
  const disk = together(without(without(whole, SCRATCH), CHILD), moved(without(whole, PRETRAINING), "/out/laptop"));
  const { copied, agreeing } = await gather(disk, ["/out/laptop"]);
  assert.deepEqual(copied, [CHILD, SCRATCH].map(({ label }) => ({ label, from: "/out/laptop" })));
  assert.deepEqual(agreeing, []);
  const folders = plan.runs.map(folderOfRun);
  assert.equal(firstDifference(below(disk.afterStop("lost"), folders), below(whole, folders)), undefined);
});

Deno.test("gatherRuns() takes two records of one key that agree for one, whoever trained", async () => {
  const disk = together(whole, moved(whole, "/out/b"), moved(whole, "/out/c"));
  const before = disk.afterStop("kept");
  const { copied, agreeing } = await gather(disk, ["/out/b", "/out/c"]);
  assert.deepEqual(copied, []);
  assert.deepEqual(agreeing, plan.runs.map(({ label }) => label));
  assert.equal(firstDifference(disk.afterStop("kept"), before), undefined);
});

Deno.test("gatherRuns() refuses two that differ, with both folders and the first step", async () => {
  const other = await SmallSmoke.make(ARMS, (step, rate) => rate > 0 && step === 20 ? 4.5 : undefined);
  assert.equal(other.plan.planDigest, plan.planDigest);
  const differing = moved(await trained(other, other.plan.runs), "/out/b");
  const disk = together(whole, differing);
  const before = disk.afterStop("kept");
  await assert.rejects(
    gather(disk, ["/out/b"]),
    withCode("RECORDS_DIFFER", /"upstream_pretrain_seed-0" .* in "\/out\/smoke" and "\/out\/b": .* is at step 20:/),
  );
  assert.equal(firstDifference(disk.afterStop("kept"), before), undefined, "nothing is changed");
});

Deno.test("gatherRuns() refuses a folder of another plan, and one that is not there", async () => {
  const text = (image: DiskImage, path: string) => new TextDecoder().decode(image.get(path));
  const path = `${folderOfRun(SCRATCH)}/run.json`;
  const strange = text(whole, path).replace(SCRATCH.key, CHILD.key);
  const image = moved(new Map([...whole, [path, new TextEncoder().encode(strange)]]), "/out/b");
  await assert.rejects(
    gather(together(whole, image), ["/out/b"]),
    withCode("OUTPUT_FOLDER_OF_ANOTHER_PLAN", /"\/out\/b\/runs\/from-scratch_scratch_seed-0" holds run/),
  );
  await assert.rejects(
    gather(together(whole), ["/out/nothing"]),
    withCode("FILE_NOT_FOUND", /no folder "\/out\/nothing"/),
  );
});

Deno.test("gatherRuns() that was stopped leaves no run that counts as done and is not whole", async () => {
  const others = moved(whole, "/out/b");
  const disk = together(others);
  await makeFolderDurably(OUTPUT, disk.files);
  let left = 0;
  const files = {
    ...disk.files,
    rename: async (from: string, to: string) => {
      if (left-- === 0) throw new Error("stopped");
      await disk.files.rename(from, to);
    },
  };
  for (const operations of [0, 1, 2, 2, 3]) {
    left = operations;
    await assert.rejects(gatherRuns(plan, OUTPUT, ["/out/b"], files, () => disk.files), /stopped/);
  }
  await gather(disk, ["/out/b"]);
  const folders = plan.runs.map(folderOfRun);
  assert.equal(firstDifference(below(disk.afterStop("lost"), folders), below(whole, folders)), undefined);
});
