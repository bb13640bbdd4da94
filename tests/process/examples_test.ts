/** The programs in examples/, run as their headers say. */
import assert from "node:assert/strict";
import { withFolder } from "../temporary_folder.ts";
import { finish, startSmoke } from "./smoke_process.ts";

const PROJECT = decodeURIComponent(new URL("../../", import.meta.url).pathname).replace(/\/$/, "");

/** What an example prints, started by the command in its header with other words after it. */
async function run(name: string, ...words: string[]): Promise<string[]> {
  const text = await Deno.readTextFile(`${PROJECT}/examples/${name}.ts`);
  const [, flags = ""] = new RegExp(`deno run ((?:--[\\w-]+ )*)examples/${name}\\.ts`).exec(text) ?? assert.fail(name);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags.split(" ").filter((flag) => flag !== ""), `examples/${name}.ts`, ...words],
    cwd: PROJECT,
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trimEnd().split("\n");
}

Deno.test("examples/plan_your_own.ts plans the example's experiment beside rewarm's own", async () => {
  const lines = await run("plan_your_own", "examples/experiments", "smoke");
  assert.ok(lines.some((line) => line.includes("long-warmup")), lines.join("\n"));
  assert.match(lines.at(-1) ?? "", /^your experiments add 11 steps$/);
});

Deno.test("examples/learning_rates.ts prints both schedules", async () => {
  const lines = await run("learning_rates", "100");
  assert.equal(lines.length, 101);
  assert.equal(lines[0], "step\tpaper\tcosine");
  assert.match(lines[100] ?? "", /^99\t0\.00003/);
});

Deno.test("examples/compare_arms.ts verifies a reproduction and compares two of its arms", () =>
  withFolder(async (folder) => {
    const { code, stderr } = await finish(startSmoke(["--out", `${folder}/out`, "--only", "max-learning-rate"]));
    assert.equal(code, 0, stderr);
    const lines = await run("compare_arms", `${folder}/out`, "max-learning-rate/1x", "max-learning-rate/2x");
    assert.match(lines[1] ?? "", /^0\t([\d.]+)\t\1\t0$/);
    assert.ok(lines.length > 5);
  }));
