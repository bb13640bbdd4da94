import assert from "node:assert/strict";
import { hasCode } from "../../../src/errors.ts";
import { prepareLaunch, writeScripts } from "../../../src/launch/slurm/launch.ts";
import { placesOf, sbatchWords } from "../../../src/launch/slurm/submission.ts";
import { withFolder } from "../../temporary_folder.ts";
import { launchInto } from "./launch_fixture.ts";

const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../../../deno.json", import.meta.url)));

Deno.test("a job's script runs the worker with the permissions of its task, and no others", () => {
  for (const task of ["reproduce:native", "reproduce:cuda", "reproduce:tensorflow", "reproduce:ranks"]) {
    const { scripts } = prepareLaunch(
      launchInto("/shared/out", { worker: { task, words: ["--scale=smoke"], threads: false } }),
    );
    const [line] = /"\$deno" run .*/.exec(scripts.get("run.sh") ?? "") ?? [];
    const permissions = (text: string) => text.match(/--(allow|deny)-\S+/g);
    assert.deepEqual(permissions(line ?? ""), permissions(tasks[task].command), task);
  }
});

Deno.test("a job's script may write to a cache of prepared data too, and to nothing else", () => {
  const worker = { task: "reproduce:native", words: [], threads: false, writes: ["/scratch/it's mine"] };
  const [permission] =
    /--allow-write=.*? --/.exec(prepareLaunch(launchInto("/shared/out", { worker })).scripts.get("run.sh") ?? "") ?? [];
  assert.equal(permission, `--allow-write=out,.cache,.rewarm,"$INIT_CWD",'/scratch/it'\\''s mine' --`);
});

Deno.test("a job's script is requeued, warned by a signal that Deno does not take for its own, and appends to its log", () => {
  const { scripts } = prepareLaunch(launchInto("/shared/out", { warnSeconds: 77 }));
  const script = scripts.get("run.sh") ?? "";
  for (const line of ["#SBATCH --requeue", "#SBATCH --open-mode=append", "#SBATCH --signal=USR2@77"]) {
    assert(script.split("\n").includes(line), line);
  }
  // Slurm reads its lines up to the first command.
  assert(script.indexOf("set -u") > script.lastIndexOf("#SBATCH"));
  assert(script.includes("--kill-on-bad-exit=1"));
});

Deno.test("ranks are tasks of one step of the job, which finds each other as their MPI does", () => {
  const ranks = { count: 4, mpi: "pmix" } as const;
  const worker = { task: "reproduce:ranks", words: ["--scale=smoke"], threads: true, ranks };
  const { scripts } = prepareLaunch(launchInto("/shared/out", { worker, conclude: { task: "conclude", words: [] } }));
  const script = scripts.get("run.sh") ?? "";
  assert(script.split("\n").includes("#SBATCH --ntasks=4"));
  assert(script.indexOf("set -u") > script.lastIndexOf("#SBATCH"));
  assert.match(script, /^srun --ntasks=4 --mpi=pmix --cpus-per-task="\$cpus" --kill-on-bad-exit=1 \\$/m);
  assert.match(
    script,
    /"\$deno" run .* src\/cli\/main.ts reproduce .* --transport mpi --scale=smoke --threads="\$cpus" "\$@"$/m,
  );
  for (const [name, text] of scripts) if (name === "conclude.sh") assert.match(text, /^srun --ntasks=1 --cpus/m);
  const alone = prepareLaunch(launchInto("/shared/out")).scripts.get("run.sh") ?? "";
  assert.doesNotMatch(alone, /SBATCH --ntasks|--mpi/);
});

Deno.test("a run comes back when it was stopped or is held elsewhere, a conclusion only when it was stopped", () => {
  const { scripts } = prepareLaunch(launchInto("/shared/out", { conclude: { task: "reproduce", words: [] } }));
  assert.match(scripts.get("run.sh") ?? "", /^if \[\[ " 130 75 " == \*" \$code "\* && \$state == RUNNING \]\]; then$/m);
  assert.match(scripts.get("conclude.sh") ?? "", /^if \[\[ " 130 " == /m);
});

Deno.test("a launch passes labels through sbatch's patterns and the shell as they are", () => {
  const { places, submissions } = prepareLaunch(launchInto("/shared/50% done"));
  const run = submissions.find(({ log }) => log === "warmup-length_0.5%_seed-0");
  assert(run !== undefined);
  const words = sbatchWords(run, places, new Map(), ["--partition=a b"]);
  assert(words.includes("--output=/shared/50%% done/launch/logs/warmup-length_0.5%%_seed-0.%j.log"));
  assert(words.includes("--chdir=/shared/50% done"));
  assert.deepEqual(words.slice(-4), ["--partition=a b", "/shared/50% done/launch/slurm/run.sh", "--run", run.log]);
});

Deno.test("a launch refuses folders whose names Slurm or Deno would read otherwise", () => {
  for (const output of ["/shared/a,b", "/shared/a\\b", "/shared/a|b", "/shared/a\nb"]) {
    assert.throws(() => prepareLaunch(launchInto(output)), (error) => hasCode(error, "UNSAFE_PATH"));
  }
});

Deno.test("a launch refuses a time limit that ends with the warning before it", () => {
  const limited = (timeLimit: number) =>
    prepareLaunch(launchInto("/shared/out", { options: { words: [], asksForGpu: false, timeLimit } }));
  assert.throws(
    () => limited(300),
    (error) => hasCode(error, "TIME_LIMIT_TOO_SHORT") && /00:05:00/.test(error.message),
  );
  assert.doesNotThrow(() => limited(301));
});

Deno.test("writeScripts() writes each script, and makes the folder of logs that Slurm does not make", () =>
  withFolder(async (folder) => {
    const prepared = prepareLaunch(launchInto(folder, { conclude: { task: "reproduce", words: [folder] } }));
    await writeScripts(prepared);
    const { scripts, logs } = placesOf(folder);
    const names = [];
    for await (const { name } of Deno.readDir(scripts)) names.push(name);
    assert.deepEqual(names.sort(), ["conclude.sh", "run.sh", "submit.sh"]);
    assert((await Deno.stat(logs)).isDirectory);
  }));
