import assert from "node:assert/strict";
import { hasCode } from "../../../src/errors.ts";
import { prepareLaunch } from "../../../src/launch/slurm/launch.ts";
import type { SlurmLaunch } from "../../../src/launch/slurm/launch.ts";
import { submitAll } from "../../../src/launch/slurm/submit.ts";
import { withFolder } from "../../temporary_folder.ts";
import { launchInto, PLAN, Queue } from "./launch_fixture.ts";

/** States of all jobs, by their logs' names. */
async function submit(
  scheduler: Queue,
  output: string,
  changes: Partial<SlurmLaunch> = {},
  submits = true,
): Promise<Map<string, string>> {
  const launch = launchInto(output, changes);
  const { places, submissions } = prepareLaunch(launch);
  const states = new Map<string, string>();
  for await (
    const { submission, state } of submitAll(submissions, { places, options: launch.options.words, scheduler, submits })
  ) states.set(submission.log, state);
  return states;
}

async function finish(output: string, label: string): Promise<void> {
  await Deno.mkdir(`${output}/runs/${label}`, { recursive: true });
  await Deno.writeTextFile(`${output}/runs/${label}/run.json`, "{}");
}

const dependencyOf = (words: readonly string[] | undefined) =>
  words?.find((word) => word.startsWith("--dependency="))?.slice("--dependency=".length);

Deno.test("submitAll() submits every run once: a second call finds all of them in the queue", () =>
  withFolder(async (folder) => {
    const queue = new Queue();
    assert.deepEqual(new Set((await submit(queue, folder)).values()), new Set(["submitted"]));
    assert.equal(queue.submitted.size, PLAN.runs.length);
    assert.deepEqual(new Set((await submit(queue, folder)).values()), new Set(["in queue"]));
    assert.equal(queue.submitted.size, PLAN.runs.length);
  }));

Deno.test("submitAll() submits nothing unless it is told to", () =>
  withFolder(async (folder) => {
    const queue = new Queue();
    assert.deepEqual(new Set((await submit(queue, folder, {}, false)).values()), new Set(["to submit"]));
    assert.equal(queue.submitted.size, 0);
  }));

Deno.test("submitAll() lets a child wait for its parent's job, and no longer when the parent is done", () =>
  withFolder(async (folder) => {
    const queue = new Queue();
    await submit(queue, folder);
    const [parent] = queue.submitted.keys();
    const child = [...queue.submitted.values()].find((words) => words.includes("warmup-length_1%_seed-0"));
    assert.equal(dependencyOf(child), `afterok:${parent}`);
    assert(child?.includes("--kill-on-invalid-dep=yes"));

    const later = new Queue();
    await finish(folder, "upstream_pretrain_seed-0");
    const states = await submit(later, folder);
    assert.equal(states.get("upstream_pretrain_seed-0"), "done");
    assert.equal(later.submitted.size, PLAN.runs.length - 1);
    for (const words of later.submitted.values()) assert.equal(dependencyOf(words), undefined);
  }));

Deno.test("submitAll() resumes after the scheduler failed, and makes new jobs wait for those in the queue", () =>
  withFolder(async (folder) => {
    const queue = new Queue(3);
    await assert.rejects(submit(queue, folder), (error) => hasCode(error, "SCHEDULER_FAILED"));
    queue.breaksAfter = Infinity;
    const states = [...(await submit(queue, folder)).values()];
    assert.equal(states.filter((state) => state === "in queue").length, 3);
    assert.equal(queue.submitted.size, PLAN.runs.length);
    const last = [...queue.submitted.values()].at(-1);
    assert.equal(dependencyOf(last), "afterok:100");
  }));

Deno.test("submitAll() submits a run again whose job has left the queue without a record", () =>
  withFolder(async (folder) => {
    const queue = new Queue();
    await submit(queue, folder);
    queue.ended.add("100");
    const states = await submit(queue, folder);
    assert.equal([...states.values()].filter((state) => state === "submitted").length, 1);
    assert.equal(queue.submitted.size, PLAN.runs.length + 1);
  }));

Deno.test("submitAll() takes jobs of another folder for others, though they are of the same runs", () =>
  withFolder(async (folder) => {
    const queue = new Queue();
    await submit(queue, `${folder}/a`);
    assert.deepEqual(new Set((await submit(queue, `${folder}/b`)).values()), new Set(["submitted"]));
  }));

Deno.test("submitAll() with lanes keeps no more jobs free to run than there are lanes", () =>
  withFolder(async (folder) => {
    const queue = new Queue();
    await submit(queue, folder, { maxParallel: 2 });
    const free = () =>
      [...queue.submitted].filter(([number, words]) =>
        !queue.ended.has(number) &&
        (dependencyOf(words) ?? "").split(",").flatMap((part) => part.split(":").slice(1)).every((before) =>
          queue.ended.has(before)
        )
      ).map(([number]) => number);
    for (let ended = 0; ended < PLAN.runs.length; ended++) {
      const able = free();
      assert(able.length >= 1 && able.length <= 2, `${able.length} jobs can run after ${ended}`);
      queue.ended.add(able[0] ?? "");
    }
    assert.deepEqual(free(), []);
  }));

Deno.test("submitAll() lets the conclusion wait for the end of all runs, however they end", () =>
  withFolder(async (folder) => {
    const queue = new Queue();
    await submit(queue, folder, { conclude: { task: "reproduce", words: [folder] } });
    const conclusion = [...queue.submitted.values()].at(-1);
    assert.equal(dependencyOf(conclusion), `afterany:${[...queue.submitted.keys()].slice(0, -1).join(":")}`);
  }));
