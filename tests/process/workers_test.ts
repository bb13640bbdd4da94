/** Real processes that share one output folder. */
import assert from "node:assert/strict";
import { withFolder } from "../temporary_folder.ts";
import { PROJECT, REPRODUCE, rewarm } from "./command_line.ts";
import { finish } from "./smoke_process.ts";

function join(cwd: string, ...further: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--config", `${PROJECT}/deno.json`, ...REPRODUCE, `${PROJECT}/src/cli/main.ts`],
      ...["reproduce", "--join", "--out", "out", "--threads", "1", ...further],
    ],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
    cwd,
  }).spawn();
}

Deno.test({
  name: "processes that join one folder train its plan together, one of them killed, and conclude signs it",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (folder) => {
      const planned = ["reproduce", "--plan-only", "--scale", "smoke", "--only", "warmup-length", "--out", "out"];
      const early = await rewarm(folder, REPRODUCE, ["reproduce", "--join", "--out", "out"]);
      assert.equal(early.code, 2);
      assert.match(early.stderr, /has no plan\.json: write it once, .*\[NO_PLAN\]/);
      const plan = await rewarm(folder, REPRODUCE, planned);
      assert.equal(plan.code, 0, plan.stderr);
      const missing = await rewarm(folder, REPRODUCE, ["conclude", "out"]);
      assert.equal(missing.code, 75, missing.stderr);
      const unknown = await rewarm(folder, REPRODUCE, [
        "reproduce",
        "--run",
        "upstream_pretrian_seed-0",
        "--out",
        "out",
      ]);
      assert.match(unknown.stderr, /did you mean "upstream_pretrain_seed-0"\?.*\[UNKNOWN_RUN\]/);

      const killed = join(folder, "--wait");
      for await (const text of killed.stdout.pipeThrough(new TextDecoderStream())) {
        if (/takes upstream_pretrain/.test(text)) break;
      }
      killed.kill("SIGKILL");
      await killed.status;
      await killed.stderr.cancel();
      const ends = await Promise.all([1, 2, 3].map(() => finish(join(folder, "--wait"))));
      for (const { code, stderr } of ends) assert.equal(code, 0, stderr);
      assert.match(ends.map(({ stderr }) => stderr).join(), /"upstream_pretrain_seed-0" was left by process \d+/);
      const status = await rewarm(folder, ["--allow-read"], ["status", "out", "--json"]);
      for (const { state } of JSON.parse(status.stdout).runs) assert.equal(state, "done");
      const signed = await rewarm(folder, REPRODUCE, ["conclude", "out"]);
      assert.equal(signed.code, 0, signed.stderr);
      const verified = await rewarm(folder, ["--allow-read"], ["verify", "out"]);
      assert.equal(verified.code, 0, verified.stdout);
    }),
});
