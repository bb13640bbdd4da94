/** Two stops in a row: of the process, and of the restart after it. */
import assert from "node:assert/strict";
import { below, firstDifference, SimulatedDisk } from "./simulated_disk.ts";
import { EMPTY_DISK, folderOfRun, SmallSmoke } from "./small_smoke.ts";
import { stopsOf } from "./stops.ts";

const ARM = "max-learning-rate/2x";
/** Of the stops of the first process, the share whose restart is stopped again. */
const STOPPED_AGAIN = 15;

Deno.test("a run that was once reported as done stays done: a process killed before its last flush, a restart, a power cut", async () => {
  const smoke = await SmallSmoke.make([ARM]);
  const first = await stopsOf(EMPTY_DISK, (files) => smoke.carryOut(files), {
    known: () => undefined,
    fates: ["kept"],
  });
  const undisturbed = first.disk.afterStop("lost");
  const unflushed = first.stops.filter(({ operation }) => operation?.name === "syncFolder");
  assert(unflushed.length > 15, `${unflushed.length} stops before a flush of a folder`);

  let points = 0;
  for (const { moment, image } of unflushed) {
    const done: string[] = [];
    const onRun = (result: { readonly run: { readonly label: string } }) => void done.push(folderOfRun(result.run));
    const second = await stopsOf(image, (files) => smoke.carryOut(files, { onRun }), {
      known: () => [...done],
      fates: ["lost"],
    });
    points += second.points;
    for (const { moment: later, image, known } of second.stops) {
      const lost = firstDifference(below(image, known), below(undisturbed, known));
      assert.equal(lost, undefined, `${moment}, then ${later}`);
    }
  }
  console.log(`${points} points in ${unflushed.length} restarts`);
});

Deno.test("training ends with the same bytes wherever it is stopped and its restart is stopped again", async () => {
  const smoke = await SmallSmoke.make([ARM]);
  const { runs } = smoke.plan;
  const train = (disk: SimulatedDisk["files"]) => smoke.train(runs, disk);
  const first = await stopsOf(EMPTY_DISK, train, { known: () => undefined });
  const folders = runs.map(folderOfRun);
  const undisturbed = below(first.disk.afterStop("lost"), folders);
  let points = 0;
  let restarts = 0;
  for (const [index, { moment, image }] of first.stops.entries()) {
    if (index % STOPPED_AGAIN !== 0) continue;
    const second = await stopsOf(image, train, { known: () => undefined });
    points += second.points;
    for (const { moment: later, image } of second.stops) {
      restarts++;
      const third = new SimulatedDisk(image);
      await train(third.files);
      const end = below(third.afterStop("lost"), folders);
      assert.equal(firstDifference(end, undisturbed), undefined, `${moment}, then ${later}`);
    }
  }
  assert(restarts > 500, `${restarts} restarts`);
  console.log(`${points} points, ${restarts} different disks`);
});
