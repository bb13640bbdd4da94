/** What is launched, on a real Slurm: whatever happens to its jobs, the plan ends with the bytes of a single process. */
import assert from "node:assert/strict";
import { withFolder } from "../temporary_folder.ts";
import { Launched, task, trained } from "./launched.ts";
import { SlurmHere, whyNoSlurm } from "./slurm_here.ts";

const reason = whyNoSlurm();

/** A test with a cluster of its own. */
function test(name: string, run: (cluster: SlurmHere, folder: string) => Promise<void>): void {
  Deno.test({
    name: name + (reason === undefined ? "" : ` (skipped: ${reason})`),
    ignore: reason !== undefined,
    fn: () =>
      withFolder(async (folder) => {
        await Deno.chmod(folder, 0o755);
        await using cluster = await SlurmHere.start();
        try {
          await run(cluster, folder);
        } catch (error) {
          console.error(await new Launched(cluster, folder, []).logs());
          throw error;
        }
      }),
  });
}

/** The same by one process. */
async function alone(folder: string, choice: readonly string[]): Promise<Map<string, string>> {
  await Deno.mkdir(folder);
  const { code, stderr } = await task(folder, [
    "reproduce:native",
    ...choice,
    "--threads",
    "1",
    "--out",
    `${folder}/out`,
  ]);
  assert.equal(code, 0, stderr);
  return await trained(`${folder}/out`);
}

test(
  "a plan launched on Slurm ends with the bytes of a single process, and launching it twice submits nothing twice",
  async (cluster, folder) => {
    const choice = ["--scale", "smoke"];
    const expected = alone(`${folder}/alone`, choice);
    const launched = new Launched(cluster, folder, choice);
    const options = ["--time=10", "--gpus=1"];
    assert.match(await launched.launch(["--max-parallel", "2"], options), /nothing was submitted/);
    assert.equal((await cluster.queue()).size, 0);
    const first = await launched.launch(["--max-parallel", "2", "--submit"], options);
    const [, count] = /(\d+) jobs submitted, 0 were in the queue, 0 are done/.exec(first) ?? [];
    assert(Number(count) > 10, first);
    assert.match(await launched.launch(["--max-parallel", "2", "--submit"], options), /0 jobs submitted/);
    const script = await cluster.need("bash", [`${launched.output}/launch/slurm/submit.sh`]);
    assert.doesNotMatch(script, /^submitted/m);
    await launched.ended();
    assert.deepEqual(await trained(launched.output), await expected);
    assert.match(
      await launched.launch(["--submit"], options),
      new RegExp(`0 jobs submitted, 0 were in the queue, ${count} are done`),
    );
  },
);

test(
  "a run that meets its time limit, scancel, preemption and the loss of its node ends with the same bytes",
  async (cluster, folder) => {
    const choice = ["--scale", "smoke", "--only", "from-scratch/scratch", "--tokens", "1.2e7"];
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
    await cluster.loseNode(node, job);
    await trains(job, 4);
    assert.notEqual(await cluster.fact(job, "NodeList"), node);

    // Someone cancels it: it stops with a checkpoint, and stays away until it is launched again.
    await cluster.need("scancel", [job]);
    await stopped(job, 3);
    await launched.ended();
    assert.equal(await cluster.fact(job, "JobState"), "CANCELLED");
    await launched.launch(["--submit"], ["--time=10"]);
    assert.notEqual(await launched.job(label), job);
    await launched.ended();
    assert.deepEqual(await trained(launched.output), await expected);
  },
);

test(
  "what waits for a run that failed leaves the queue, and a second launch submits it again",
  async (cluster, folder) => {
    const parent = "upstream_pretrain_seed-0";
    const launched = new Launched(cluster, folder, ["--scale", "smoke", "--only", "warmup-length/1%"]);
    await launched.launch([], []);
    // A folder where a file has to be.
    await Deno.mkdir(`${launched.output}/runs/${parent}/journal.jsonl`, { recursive: true });
    await launched.launch(["--submit"], ["--time=10"]);
    const job = await launched.job(parent);
    await launched.ended();
    assert.match(await launched.log(parent, job), /error: .*\[[A-Z_]+\]\n(.*\n)*.*exit code 2\n/);
    assert.equal(await launched.journalLines("warmup-length_1%_seed-0"), 0);
    await Deno.remove(`${launched.output}/runs/${parent}/journal.jsonl`);
    assert.match(await launched.launch(["--submit"], ["--time=10"]), /2 jobs submitted/);
    await launched.ended();
    assert.match(await launched.launch(["--submit"], ["--time=10"]), /2 are done/);
  },
);
