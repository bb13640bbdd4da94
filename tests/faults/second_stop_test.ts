/** Two stops in a row: of a process, and of the restart after it. */
import assert from "node:assert/strict";
import type { FileSystem } from "../../src/files/file_system.ts";
import { below, firstDifference } from "./disk_image.ts";
import { SimulatedDisk } from "./simulated_disk.ts";
import { EMPTY, folderOfRun, SmallSmoke, withoutLeases } from "./small_smoke.ts";
import { stopsOf } from "./stops.ts";

const ARM = "earlier-checkpoints/19%-warmup-0%";
/** Of the stops of the first process, the share whose restart is stopped again. */
const STOPPED_AGAIN = 25;

Deno.test("a run that was once reported as done stays done: a process killed before a flush, its restart, a power cut", async () => {
  const smoke = await SmallSmoke.make([ARM]);
  const disk = new SimulatedDisk(EMPTY);
  const first = await stopsOf(disk, (files) => smoke.carryOut(files), {
    known: () => undefined,
    relevant: withoutLeases,
    fates: ["kept"],
  });
  const undisturbed = disk.afterStop("lost");
  const unflushed = first.stops.filter(({ operation }) => operation?.name === "syncFolder");
  assert(unflushed.length > 15, `${unflushed.length} stops before a flush of a folder`);

  let points = 0;
  for (const { moment, restart } of unflushed) {
    const done: string[] = [];
    const onRun = (result: { readonly run: { readonly label: string } }) => void done.push(folderOfRun(result.run));
    const second = await stopsOf(restart(), (files) => smoke.carryOut(files, { onRun }), {
      known: () => [...done],
      relevant: withoutLeases,
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
  const folders = runs.map(folderOfRun);
  const train = (files: FileSystem) => smoke.train(runs, files);
  const disk = new SimulatedDisk(EMPTY);
  const first = await stopsOf(disk, train, { known: () => undefined, relevant: withoutLeases });
  const undisturbed = below(disk.afterStop("lost"), folders);

  let points = 0;
  let restarts = 0;
  for (const [index, stop] of first.stops.entries()) {
    if (index % STOPPED_AGAIN !== 0) continue;
    const second = await stopsOf(stop.restart(), train, { known: () => undefined, relevant: withoutLeases });
    points += second.points;
    for (const { moment, restart } of second.stops) {
      restarts++;
      const third = restart();
      await train(third.files);
      const end = below(third.afterStop("lost"), folders);
      assert.equal(firstDifference(end, undisturbed), undefined, `${stop.moment}, then ${moment}`);
    }
  }
  console.log(`${points} points, ${restarts} different disks`);
});
