/** Ranks that are killed, silent or slow in the middle of a run. */
import assert from "node:assert/strict";
import { trained } from "../../cluster/launched.ts";
import { withFolder } from "../../temporary_folder.ts";
import { openMpiTest } from "./launchers.ts";
import { allEnded, pidOf, RankedPlan } from "./ranked_process.ts";

const LONG = ["--scale", "smoke", "--batch", "20", "--only", "upstream", "--tokens", "1e5"];
const STEPS = 60;
/** Seconds: longer than a busy machine keeps a process from running. */
const SILENCE = 5;

openMpiTest(
  "a rank that is killed ends all, and the run resumes on fewer with the same bytes",
  (launcher) =>
    withFolder(async (folder) => {
      const plan = new RankedPlan(folder, LONG);
      const child = await plan.start(launcher, 3);
      await plan.journalHas(STEPS);
      Deno.kill(await pidOf(child, 2), "SIGKILL");
      const { code } = await allEnded(child);
      assert.notEqual(code, 0);
      const resumed = await plan.train(launcher, 2);
      assert.deepEqual(resumed, await plan.trainAlone());
    }),
);

openMpiTest("a rank that falls silent is named, and all end", (launcher) =>
  withFolder(async (folder) => {
    const plan = new RankedPlan(folder, LONG);
    const child = await plan.start(launcher, 3, { words: ["--rank-timeout", `${SILENCE}`] });
    await plan.journalHas(STEPS);
    Deno.kill(await pidOf(child, 1), "SIGSTOP");
    const { code, stderr } = await allEnded(child);
    assert.notEqual(code, 0);
    // Whoever waits for it longest finds out, and tells rank 0.
    assert.match(stderr, /Rank 1 has given no sign of life for 5 s while rank [02] waited for .*\[RANK_SILENT\]/);
    // The launcher wakes it before it ends it: it may find the others gone, and say so.
    assert.doesNotMatch(stderr, /Rank [02] has given no sign .* while rank [02] waited/);
  }));

openMpiTest(
  "a rank that cannot start says why, rank 0 says which, and all end",
  (launcher) =>
    withFolder(async (folder) => {
      const plan = new RankedPlan(folder, LONG);
      const child = await plan.start(launcher, 3, { lastWords: ["--kernels", "none"] });
      const { code, stderr } = await allEnded(child);
      assert.notEqual(code, 0);
      assert.match(stderr, /rank 2:\n(.*\n)*error: Option "--kernels" is "none".*\[UNKNOWN_KERNELS\]/);
      assert.match(
        stderr,
        /error: Rank 2 ended while rank 0 waited for .*: Option "--kernels" is "none".*\[RANK_ENDED\]/,
      );
      assert.doesNotMatch(stderr, /rank 1:/);
    }),
);

openMpiTest("rank 0 falling silent ends the others", (launcher) =>
  withFolder(async (folder) => {
    const plan = new RankedPlan(folder, LONG);
    const child = await plan.start(launcher, 2, { words: ["--rank-timeout", `${SILENCE}`] });
    await plan.journalHas(STEPS);
    Deno.kill(await pidOf(child, 0), "SIGSTOP");
    const { code, stderr } = await allEnded(child);
    assert.notEqual(code, 0);
    assert.match(stderr, /rank 1:\nerror: Rank 0 has given no sign of life for 5 s while rank 1 waited for /);
  }));

openMpiTest("a rank that stands still for a while is waited for", (launcher) =>
  withFolder(async (folder) => {
    const plan = new RankedPlan(folder, LONG);
    const child = await plan.start(launcher, 2, { words: ["--rank-timeout", "30"] });
    await plan.journalHas(STEPS);
    const pid = await pidOf(child, 1);
    Deno.kill(pid, "SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 2000));
    Deno.kill(pid, "SIGCONT");
    const { code, stderr } = await allEnded(child);
    assert.equal(code, 0, stderr);
    assert.deepEqual(await trained(plan.output("out")), await plan.trainAlone());
  }));
