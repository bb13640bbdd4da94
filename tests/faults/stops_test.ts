import assert from "node:assert/strict";
import type { FileSystem } from "../../src/files/file_system.ts";
import { paperJudge } from "../../src/results/paper_judge.ts";
import { verifyManifestFile } from "../../src/manifest/verify/verify_file.ts";
import { loadPaper, PAPER_FILE } from "../../src/reproduce/paper_file.ts";
import type { Operation } from "../files/faulty_files.ts";
import { below, type DiskImage, firstDifference } from "./disk_image.ts";
import { SimulatedDisk } from "./simulated_disk.ts";
import { comparable, EMPTY, folderOfRun, interruptedDisk, isLease, OUTPUT, SmallSmoke } from "./small_smoke.ts";
import { stopsOf } from "./stops.ts";
import { FIXTURE_CATALOGUE } from "../experiment/plan/plan_fixture.ts";

/** Of the stops in training, the share that is followed by a whole restart to the manifest. */
const WHOLE_RESTARTS = 100;

/** What a process had got done when it stopped. */
interface Progress {
  /** plan and lock are there: training goes on */
  readonly isTraining: boolean;
  /** runs that had been reported as done */
  readonly runs: number;
  /** optimizer steps of the next run that are in a finished checkpoint */
  readonly steps: number;
}

/** Once runs are there, what the locks' files say makes no further difference; the shorter tests below try them. */
function withoutSettledLock(image: DiskImage): DiskImage {
  if (!image.has(`${OUTPUT}/runs`)) return image;
  return new Map([...image].filter(([path]) => path !== `${OUTPUT}/.lock` && !isLease(path)));
}

/** Watches a process from outside. */
class Watch {
  progress: Progress = { isTraining: false, runs: 0, steps: 0 };
  #checkpoint = 0;

  onRun(): void {
    this.progress = { isTraining: true, runs: this.progress.runs + 1, steps: 0 };
  }

  after({ name, path }: Operation): void {
    if (path.startsWith(`${OUTPUT}/runs/`)) this.progress = { ...this.progress, isTraining: true };
    if (name === "rename") this.#checkpoint = Number(/step-(\d+)/.exec(path)?.[1] ?? this.#checkpoint);
    // From here on a power cut must not take it away any more.
    if (name === "syncFolder" && path.endsWith("/checkpoints")) {
      this.progress = { ...this.progress, steps: this.#checkpoint };
    }
  }
}

Deno.test("the smoke plan ends with the same bytes, and no finished step is done again, whatever operation it stops at", async () => {
  const smoke = await SmallSmoke.make();
  const { runs } = smoke.plan;
  const watch = new Watch();
  const disk = new SimulatedDisk(EMPTY);
  const { points, stops } = await stopsOf(
    disk,
    (files) => smoke.carryOut(files, { onRun: () => watch.onRun() }),
    {
      known: (done) => {
        if (done !== undefined) watch.after(done);
        return watch.progress;
      },
      relevant: withoutSettledLock,
    },
  );
  const judge = paperJudge((await loadPaper(FIXTURE_CATALOGUE)).text, PAPER_FILE);
  const report = await verifyManifestFile(`${OUTPUT}/manifest.dsse.json`, { files: disk.files, judge });
  assert.equal(report.verdict, "verified", JSON.stringify(report.steps));
  const undisturbed = disk.afterStop("lost");
  const totalSteps = runs.reduce((total, run) => total + run.steps, 0);

  let wholeRestarts = 0;
  for (const [index, { moment, fate, image, known, restart }] of stops.entries()) {
    const finished = runs.slice(0, known.runs).map(folderOfRun);
    const lost = firstDifference(below(image, finished), below(undisturbed, finished));
    assert.equal(lost, undefined, `${moment}: of a finished run`);

    const run = known.isTraining ? runs[known.runs] : undefined;
    const restarted = restart();
    const before = smoke.steps;
    let stepsLeft: number;
    if (run === undefined || index % WHOLE_RESTARTS === 0) {
      wholeRestarts++;
      await smoke.carryOut(restarted.files);
      stepsLeft = totalSteps - known.steps - runs.slice(0, known.runs).reduce((total, { steps }) => total + steps, 0);
      const end = comparable(restarted.afterStop("lost"));
      assert.equal(firstDifference(end, comparable(undisturbed)), undefined, moment);
    } else {
      await smoke.train(smoke.withParent(run), restarted.files);
      stepsLeft = run.steps - known.steps;
      const folders = [...finished, folderOfRun(run)];
      const end = below(restarted.afterStop("lost"), folders);
      assert.equal(firstDifference(end, below(undisturbed, folders)), undefined, moment);
    }
    const steps = smoke.steps - before;
    if (fate === "lost") assert.equal(steps, stepsLeft, `${moment}: steps of the restart`);
    else assert(steps <= stepsLeft, `${moment}: the restart did ${steps} steps, expected ${stepsLeft} at most`);
  }
  console.log(`${points} points, ${stops.length} different disks, ${wholeRestarts} restarts to the manifest`);
});

/** Trains a plan from a disk, stops it everywhere, and compares what restarts end with. */
async function stopEverywhere(smoke: SmallSmoke, start: SimulatedDisk, undisturbed: DiskImage): Promise<number> {
  const folders = smoke.plan.runs.map(folderOfRun);
  const train = (files: FileSystem) => smoke.train(smoke.plan.runs, files);
  const { stops } = await stopsOf(start, train, { known: () => undefined });
  for (const { moment, restart } of stops) {
    const disk = restart();
    await train(disk.files);
    const end = below(disk.afterStop("lost"), folders);
    assert.equal(firstDifference(end, below(undisturbed, folders)), undefined, moment);
  }
  return stops.length;
}

Deno.test("a run that diverges ends with the same bytes, whatever operation it stops at", async () => {
  const smoke = await SmallSmoke.make(["from-scratch"], (step) => step === 20 ? NaN : undefined);
  const disk = new SimulatedDisk(EMPTY);
  await smoke.train(smoke.plan.runs, disk.files);
  const undisturbed = disk.afterStop("lost");
  assert(await stopEverywhere(smoke, new SimulatedDisk(EMPTY), undisturbed) > 100);
});

Deno.test("a run that went on after Ctrl-C ends with the same bytes, whatever operation it stops at", async () => {
  const smoke = await SmallSmoke.make(["upstream"]);
  const disk = new SimulatedDisk(EMPTY);
  await smoke.train(smoke.plan.runs, disk.files);
  const undisturbed = disk.afterStop("lost");
  assert(await stopEverywhere(smoke, await interruptedDisk(smoke), undisturbed) > 100);
});
