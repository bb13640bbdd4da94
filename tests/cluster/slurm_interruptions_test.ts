/** What a scheduler does to a running job: whatever happens, the run ends with the bytes of a single process. */
import assert from "node:assert/strict";
import { alone, clusterTest } from "./cluster_test_case.ts";
import { Launched, trained } from "./launched.ts";

clusterTest(
  "a run that meets its time limit, scancel, preemption and the loss of its node ends with the same bytes",
  17_840,
  async (cluster, folder) => {
    // Long enough that a fast machine is still training when the last of the interruptions comes.
    const choice = ["--scale", "smoke", "--only", "from-scratch/scratch", "--tokens", "4.8e7"];
    const label = "from-scratch_scratch_seed-0";
    const expected = alone(`${folder}/alone`, choice);
    const launched = new Launched(cluster, folder, choice);
    const trains = (job: string, start: number) =>
      cluster.until(`start ${start} trains`, async () => {
        const log = await launched.log(label, job);
        return log.includes(`start ${start},`) && log.lastIndexOf("takes ") > log.indexOf(`start ${start},`);
      });
    const stopped = (job: string, times: number) =>
      cluster.until(
        `it has stopped ${times} times`,
        async () => (await launched.log(label, job)).split("exit code 130").length > times,
      );

    // The time limit: told to stop 110 s before two minutes end, or up to 60 s earlier.
    await launched.launch(["--warn", "110", "--submit"], ["--time=2"]);
    const job = await launched.job(label);
    await trains(job, 1);
    await stopped(job, 1);
    const lines = await launched.journalLines(label);
    assert(lines > 10, `${lines} lines`);
    await cluster.until("it is back in the queue", async () => await cluster.state(job) === "PENDING");
    await cluster.need("scontrol", ["update", `JobId=${job}`, "TimeLimit=60"]);
    await trains(job, 2);
    assert(await launched.journalLines(label) >= lines, "it resumes from its checkpoint");

    // Two workers that want one run: the second one asks again later.
    const { scripts, logs } = { scripts: `${launched.output}/launch/slurm`, logs: `${launched.output}/launch/logs` };
    const other = (await cluster.need("sbatch", [
      "--parsable",
      `--output=${logs}/other.%j.log`,
      `--chdir=${launched.output}`,
      `${scripts}/run.sh`,
      "--run",
      label,
    ])).trim();
    await cluster.until(
      "the second worker gives way",
      async () => (await launched.log("other", other)).includes("exit code 75"),
    );
    await cluster.until("the second worker waits", async () => await cluster.state(other) === "PENDING");
    await cluster.need("scancel", [other]);

    // Preemption: an urgent job takes both nodes.
    assert.equal(await cluster.state(job), "RUNNING");
    await cluster.need("sbatch", [
      "--partition=urgent",
      "--nodes=2",
      "--exclusive",
      "--output=/dev/null",
      "--wrap=sleep 1",
    ]);
    await stopped(job, 2);
    await trains(job, 3);

    // The loss of its node.
    const node = await cluster.fact(job, "NodeList") ?? "";
    await cluster.loseNode(node);
    await trains(job, 4);
    assert.notEqual(await cluster.fact(job, "NodeList"), node);

    // Someone cancels it: it stops with a checkpoint, and stays away until it is launched again.
    await cluster.need("scancel", [job]);
    await stopped(job, 3);
    await launched.ended();
    assert.equal(await cluster.fact(job, "JobState"), "CANCELLED");
    await launched.launch(["--submit"], ["--time=10"]);
    assert.notEqual(await launched.job(label), job);
    await launched.ended(900);
    assert.deepEqual(await trained(launched.output), await expected);
  },
);
