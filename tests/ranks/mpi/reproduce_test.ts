/** A plan trained by ranks over real MPI: the files of a single process, byte for byte. */
import assert from "node:assert/strict";
import { concluded, task } from "../../cluster/launched.ts";
import { withFolder } from "../../temporary_folder.ts";
import { mpiTest, openMpiTest } from "./launchers.ts";
import { allEnded, RankedPlan } from "./ranked_process.ts";

/** Two runs of 20 gradient blocks a step. */
const CHOICE = ["--scale", "smoke", "--batch", "20", "--only", "upstream", "from-scratch"];
/** A run that lasts some seconds. */
const LONG = ["--scale", "smoke", "--batch", "20", "--only", "upstream", "--tokens", "1e5"];

mpiTest(
  "ranks leave the journals, curves and checkpoints of one process",
  (launcher) =>
    withFolder(async (folder) => {
      const plan = new RankedPlan(folder, CHOICE);
      const expected = await plan.trainAlone();
      assert(expected.size > 10, [...expected.keys()].join(" "));
      for (const ranks of launcher.name === "Open MPI" ? [1, 2, 3, 5] : [2, 3]) {
        assert.deepEqual(await plan.train(launcher, ranks, `ranks-${ranks}`), expected, `${ranks} ranks`);
      }
      const [manifest, other] = [await concluded(plan.output("ranks-2")), await concluded(plan.output("alone"))];
      assert.deepEqual(manifest, other);
    }),
);

openMpiTest(
  "a manifest states the ranks, and a single process retrains all of it",
  (launcher) =>
    withFolder(async (folder) => {
      const plan = new RankedPlan(folder, CHOICE);
      await plan.train(launcher, 3);
      const path = `${plan.output("out")}/manifest.dsse.json`;
      const { payload } = JSON.parse(await Deno.readTextFile(path));
      const { predicate } = JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(payload)));
      assert.equal(predicate.engine.description.ranks, "3");
      assert.match(predicate.engine.description.transport, /^Open MPI \d/);
      const { code, stdout, stderr } = await task(folder, [
        "retrain:native",
        path,
        "--retrain",
        "all",
        "--threads",
        "1",
      ]);
      assert.equal(code, 0, stdout + stderr);
    }),
);

openMpiTest(
  "3 ranks that are told to stop leave a checkpoint, and 2 resume from it",
  (launcher) =>
    withFolder(async (folder) => {
      const plan = new RankedPlan(folder, LONG);
      const expected = plan.trainAlone();
      const child = await plan.start(launcher, 3);
      await plan.journalHas(60);
      child.kill("SIGUSR2"); // mpirun passes it on to all ranks
      const { code, stdout, stderr } = await allEnded(child);
      assert.equal(code, 130, stdout + stderr);
      assert.match(stderr, /the same command resumes from there/);
      assert.deepEqual(await plan.train(launcher, 2), await expected);
    }),
);

openMpiTest("what cannot be is refused once, and all ranks end in order", (launcher) =>
  withFolder(async (folder) => {
    const plan = new RankedPlan(folder, ["--scale", "smoke", "--only", "upstream"]);
    const { code, stderr } = await allEnded(await plan.start(launcher, 3));
    assert.equal(code, 2);
    assert.equal(
      stderr.split("3 ranks cannot share a step of 2 units: start at most 2 ranks [TOO_MANY_RANKS]").length,
      2,
    );
    assert.doesNotMatch(stderr, /MPI_ABORT|bug in rewarm/);
  }));

openMpiTest("without a launcher, ranks say how they are started", () =>
  withFolder(async (folder) => {
    const { code, stderr } = await task(folder, ["reproduce:ranks", ...CHOICE, "--out", `${folder}/out`]);
    assert.equal(code, 2);
    assert.match(stderr, /not started as a rank: start it by "mpirun -n RANKS deno task reproduce:ranks …"/);
  }));
