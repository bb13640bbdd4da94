/** Two workers in one folder, of which one is killed before any of its operations, or fails in it. */
import assert from "node:assert/strict";
import type { WorkEnd } from "../../src/worker/work.ts";
import { faultyFiles, Killed } from "../files/faulty_files.ts";
import { below, firstDifference } from "./disk_image.ts";
import { SimulatedDisk } from "./simulated_disk.ts";
import { EMPTY, folderOfRun, SmallSmoke } from "./small_smoke.ts";

const TIMES = { beat: 5, expiry: 5000 };
/** Of the operations of the first worker, those at which it is stopped. */
const EVERY = 7;

const smoke = await SmallSmoke.make(["earlier-checkpoints/7%-warmup-0%", "from-scratch"]);
const folders = smoke.plan.runs.map(folderOfRun);
const steps = smoke.plan.runs.reduce((sum, run) => sum + run.steps, 0);

async function shared(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk(EMPTY);
  await smoke.share(disk.files);
  return disk;
}

const alone = await shared();
const log: string[] = [];
await smoke.work(faultyFiles({ at: Infinity, how: "" }, alone.files, ({ path }) => void log.push(path)));
const undisturbed = below(alone.afterStop("lost"), folders);

for (const how of ["kill", "EIO"]) {
  Deno.test(`whatever operation one of two workers meets with ${how}, the other ends with the same bytes`, async () => {
    let points = 0;
    for (let at = how === "kill" ? 0 : 1; at < log.length; at += EVERY) {
      points++;
      const disk = await shared();
      const before = smoke.steps;
      const first = smoke.work(faultyFiles({ at, how }, disk.files), { times: TIMES }).catch((error) => {
        if (how === "kill") assert(error instanceof Killed, error?.stack);
      });
      const second: Promise<WorkEnd> = smoke.work(disk.files, { wait: true, times: TIMES });
      await first;
      const what = `${how} at operation ${at}, of ${log[at]}`;
      assert.equal((await second).kind, "done", what);
      assert.equal(firstDifference(below(disk.afterStop("kept"), folders), undisturbed), undefined, what);
      // What the first had begun, the second resumes: nobody trains a run that another holds.
      assert(smoke.steps - before < 2 * steps, what);
    }
    console.log(`${points} points of ${log.length} operations`);
  });
}
