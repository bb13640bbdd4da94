/** What the operating system does to the real process: Ctrl-C, and two processes in one output folder. */
import assert from "node:assert/strict";
import { buildPlan } from "../../src/experiment/plan/plan.ts";
import { FIXED_OPTIONS } from "../experiment/plan/plan_fixture.ts";
import { withFolder } from "../temporary_folder.ts";
import { finish, startSmoke } from "./smoke_process.ts";

const ignore = Deno.build.os === "windows";

/** Starts `rewarm reproduce --scale smoke` into a folder. */
const start = (output: string, ...args: string[]) => startSmoke(["--out", output, ...args]);

/** Journal digests by run, from what the command printed. */
function journals(stdout: string): string[] {
  return [...stdout.matchAll(/^\s+\d+\/\d+\s+(\S+)\s+\d+ steps\s+journal (\w+)/gm)].map((m) => `${m[1]} ${m[2]}`);
}

/** Waits until a file is there. */
async function appeared(path: string): Promise<void> {
  for (let waited = 0; waited < 30_000; waited += 20) {
    if (await Deno.stat(path).then(() => true, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`"${path}" did not appear`);
}

Deno.test({
  name: "reproduce stops cleanly on Ctrl-C, and the same command ends with the same journals",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      const whole = await finish(start(`${folder}/whole`));
      assert.equal(whole.code, 0, whole.stderr);
      assert.equal(journals(whole.stdout).length, (await buildPlan({ ...FIXED_OPTIONS, scale: "smoke" })).runs.length);

      const first = start(`${folder}/cut`);
      await appeared(`${folder}/cut/runs/upstream_pretrain_seed-0/journal.jsonl`);
      first.kill("SIGINT");
      const { code, stderr } = await finish(first);
      assert.equal(code, 130, stderr);
      assert.match(stderr, /the same command resumes from there/);

      const second = await finish(start(`${folder}/cut`));
      assert.equal(second.code, 0, second.stderr);
      assert.deepEqual(journals(second.stdout), journals(whole.stdout));
    }),
});

Deno.test({
  name: "reproduce stops at once, naming the other process, when the output folder is in use",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      // Three seeds keep the first process busy until the second one has looked.
      const first = start(`${folder}/out`, "--seeds", "3");
      await appeared(`${folder}/out/plan.json`);
      const second = await finish(start(`${folder}/out`));
      assert.equal(second.code, 2);
      assert.match(second.stderr, new RegExp(`in use by process ${first.pid} on `));
      assert.equal((await finish(first)).code, 0);
    }),
});

Deno.test({
  name: "reproduce says that a folder cannot be written, and leaves nothing behind",
  ignore: ignore || Deno.uid() === 0,
  fn: () =>
    withFolder(async (folder) => {
      await Deno.chmod(folder, 0o500);
      const { code, stderr } = await finish(start(`${folder}/out`));
      await Deno.chmod(folder, 0o700);
      assert.equal(code, 2);
      assert.match(stderr, /Cannot .* access/);
    }),
});
