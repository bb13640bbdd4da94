/**
 * A dress rehearsal of the paper's scale, with the commands that a person gives: data pinned, fetched and imported from a
 * hub, all of its runs trained at a small width on few tokens, interrupted twice, the manifest verified and a piece of it
 * trained again.
 */
import assert from "node:assert/strict";
import { PAPER_CHECKPOINT_STEPS } from "../../src/experiment/scale/paper_units.ts";
import { finish } from "../process/smoke_process.ts";
import { PROJECT, REPRODUCE } from "../process/command_line.ts";
import { withFolder } from "../temporary_folder.ts";
import { rehearsalHub } from "./rehearsal_hub.ts";

const PERMISSIONS = [...REPRODUCE, "--allow-net=127.0.0.1,localhost", "--allow-sys=cpus,hostname,statfs"];
/** What makes the paper's scale small: Pythia-14M, and 16 steps of 64 tokens in place of 131,296 of 2.3 million. */
const CHANGES = "--model pythia-14m --tokens 1024 --context 32 --batch 2 --evaluation-windows 2".split(" ");

function start(cwd: string, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--config", `${PROJECT}/deno.json`, ...PERMISSIONS, `${PROJECT}/src/cli/main.ts`, ...args],
    cwd,
    env: { NO_COLOR: "1", CI: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function run(cwd: string, args: readonly string[], expected = 0): Promise<string> {
  const { code, stdout, stderr } = await finish(start(cwd, args));
  assert.equal(code, expected, `${args.join(" ")}\n${stdout}\n${stderr}`);
  return stdout;
}

/** Waits until a folder of runs has at least so many, then interrupts; says how it ended. */
async function interruptAt(process: Deno.ChildProcess, runs: string, count: number): Promise<string> {
  const ended = finish(process);
  let over = false;
  ended.then(() => over = true);
  while (!over) {
    const there = await Array.fromAsync(Deno.readDir(runs)).catch(() => []);
    if (there.length >= count) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  if (!over) process.kill("SIGINT");
  const { code, stdout, stderr } = await ended;
  assert.equal(code, 130, `${stdout}\n${stderr}`);
  return stderr;
}

Deno.test("reproduce --scale paper, small: fetched from a hub, interrupted twice, verified and retrained", () =>
  withFolder(async (folder) => {
    await using hub = await rehearsalHub("pythia-14m");
    await Deno.copyFile(`${PROJECT}/lockfiles/data.lock.yaml`, `${folder}/data.lock.yaml`);
    const places = ["--lockfile", "data.lock.yaml", "--cache", "hub"];
    const scale = ["--scale", "paper", ...CHANGES, ...places];

    const unlocked = await finish(start(folder, ["reproduce", ...scale]));
    assert.equal(unlocked.code, 2);
    assert.match(unlocked.stderr, /not pinned by data\.lock\.yaml: run "deno task data lock" first/);
    assert.match(await run(folder, ["data", "lock", ...scale, "--hub", hub.address]), /trust on first use/);
    const fetched = await run(folder, ["data", "fetch", ...scale, "--hub", hub.address]);
    assert.match(fetched, /start/);
    await hub[Symbol.asyncDispose]();

    const plan = await run(folder, ["plan", ...scale]);
    for (const step of PAPER_CHECKPOINT_STEPS) {
      assert.match(plan, new RegExp(`step ${step} [0-9a-f]{4}…[0-9a-f]{4} of huggingface:EleutherAI/pythia-410m@`));
    }
    assert.match(plan, /reading pile=standard, domains=table-1, optimizer-state=reset, same-data-horizon=downstream/);
    assert.match(plan, /19 arms need 16 distinct runs/);

    // Nothing is asked of any network from here on.
    const reproduce = ["reproduce", ...scale, "--out", "out"];
    for (const count of [2, 9]) {
      const stopped = await interruptAt(start(folder, reproduce), `${folder}/out/runs`, count);
      assert.match(stopped, /the same command resumes from there/);
    }
    const done = await run(folder, reproduce);
    assert.match(done, /16 runs in/);

    const verified = JSON.parse(await run(folder, ["verify", "out/manifest.dsse.json", "--json"]));
    assert.equal(verified.verdict, "verified");
    const planStep = verified.steps.find(({ name }: { name: string }) => name === "plan");
    assert.match(planStep.detail, /16 planned runs .*the experiments of this version give the same plan/);
    const retrained = await run(folder, [
      "retrain",
      "out/manifest.dsse.json",
      ...["--retrain", "earlier-checkpoints_7%-warmup-1%_seed-0:0..3"],
      ...["--retrain", "same-data_2x_seed-0:0..3"],
      ...places,
    ]);
    assert.match(retrained, /2 of \d+ segments retrained/);

    const manifest = JSON.parse(await Deno.readTextFile(`${folder}/out/manifest.dsse.json`));
    const { predicate } = JSON.parse(atob(manifest.payload));
    assert.deepEqual(predicate.readings, {
      "domains": "table-1",
      "optimizer-state": "reset",
      "pile": "standard",
      "same-data-horizon": "downstream",
    });
    assert.deepEqual(predicate.start.map(({ step }: { step: number }) => step), PAPER_CHECKPOINT_STEPS);
    assert.match(predicate.limits.join(" "), /The scale was changed \(model pythia-14m, tokens 1024, batch 2/);
  }));
