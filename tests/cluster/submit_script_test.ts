/** The script that is written down submits what the launcher would, word for word: with stand-ins for Slurm's programs. */
import assert from "node:assert/strict";
import { prepareLaunch, type SlurmLaunch, writeScripts } from "../../src/launch/slurm/launch.ts";
import { shellWord } from "../../src/launch/shell.ts";
import { submitAll } from "../../src/launch/slurm/submit.ts";
import { launchInto, Queue } from "../launch/slurm/launch_fixture.ts";
import { withFolder } from "../temporary_folder.ts";
import { runProgram } from "../processes.ts";

const ignore = Deno.build.os === "windows";

/** Notes its words, a line each and an empty one behind them, and gives the next number. */
const SBATCH = `#!/bin/bash
printf '%s\\n' "$@" '' >> "$STAND_IN/calls"
number=$((100 + $(grep -c '^$' "$STAND_IN/calls") - 1))
echo "$number;here"
`;
const SQUEUE = `#!/bin/bash
[ "$1" = --me ] || exit 1
cat "$STAND_IN/queue"
`;

/** What sbatch was called with, by the script and by the launcher. */
async function both(
  folder: string,
  changes: Partial<SlurmLaunch>,
  queue: readonly string[] = [],
): Promise<{ byScript: string[][]; byLauncher: string[][]; stdout: string }> {
  const launch = launchInto(`${folder}/50% of it's "out" $HOME`, changes);
  const prepared = prepareLaunch(launch);
  await writeScripts(prepared);
  const standIn = `${folder}/stand-in`;
  await Deno.mkdir(standIn, { recursive: true });
  await Deno.writeTextFile(`${standIn}/sbatch`, SBATCH, { mode: 0o755 });
  await Deno.writeTextFile(`${standIn}/squeue`, SQUEUE, { mode: 0o755 });
  await Deno.writeTextFile(`${standIn}/queue`, queue.map((line) => line.replace("OUT", launch.output) + "\n").join(""));
  await Deno.writeTextFile(`${standIn}/calls`, "");
  const { code, stdout, stderr } = await runProgram("bash", [`${prepared.places.scripts}/submit.sh`], {
    env: { STAND_IN: standIn, PATH: `${standIn}:${Deno.env.get("PATH")}` },
    cwd: folder,
  });
  assert.equal(code, 0, stderr);
  const byScript = (await Deno.readTextFile(`${standIn}/calls`)).split("\n\n").filter((call) => call !== "")
    .map((call) => call.split("\n"));
  const scheduler = new Queue();
  for (const line of queue) {
    const [number = "", where, name] = line.split("|");
    if (where === "OUT") scheduler.submitted.set(number, [`--chdir=${launch.output}`, `--job-name=${name}`]);
  }
  const before = scheduler.submitted.size;
  const numbered = {
    queue: (where: string) => scheduler.queue(where),
    submit: async (words: readonly string[]) => {
      await scheduler.submit(words);
      return `${100 + scheduler.submitted.size - before - 1}`;
    },
  };
  const options = { places: prepared.places, options: launch.options.words, scheduler: numbered, submits: true };
  for await (const _ of submitAll(prepared.submissions, options));
  return { byScript, byLauncher: [...scheduler.submitted.values()].slice(before).map((words) => [...words]), stdout };
}

for (
  const [title, changes] of [
    ["a graph", {}],
    ["lanes and a conclusion", { maxParallel: 3, conclude: { task: "reproduce", words: ["x"] } }],
    ["no options", { options: { words: [], asksForGpu: false } }],
  ] as const
) {
  Deno.test({
    name: `submit.sh submits ${title} as the launcher does, from a folder whose name needs quoting`,
    ignore,
    fn: () =>
      withFolder(async (folder) => {
        const { byScript, byLauncher } = await both(folder, changes);
        assert(byLauncher.length >= 15);
        assert.deepEqual(byScript, byLauncher);
      }),
  });
}

Deno.test({
  name: "submit.sh submits nothing that is done or in the queue, and lets the rest wait for what is there",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      const { submissions } = prepareLaunch(launchInto(folder));
      const parent = submissions[0]?.name ?? "";
      const queue = [`7|OUT|${parent}`, `8|/elsewhere|${submissions[1]?.name}`, "9|OUT|somebody's|own"];
      const { byScript, byLauncher, stdout } = await both(folder, {}, queue);
      assert.equal(byScript.length, submissions.length - 1);
      assert.deepEqual(byScript, byLauncher);
      assert(byScript.some((words) => words.includes("--dependency=afterok:7")));
      assert.match(stdout, new RegExp(`in queue +${RegExp.escape(parent)}, job 7`));
    }),
});

Deno.test({
  name: "shellWord() gives every shell here the word that was meant",
  ignore,
  fn: async () => {
    const words = [
      "",
      "two words",
      "it's",
      "''",
      "$HOME",
      "`id`",
      "\\",
      "a\nb",
      "*",
      "~",
      "!",
      "{a,b}",
      "#",
      "é 日本 🜁",
      "-n",
      "--",
      '"',
      "\t",
      "\x01",
    ];
    for (const shell of ["sh", "bash"]) {
      const { stdout } = await runProgram(shell, ["-c", `printf '%s\\0' ${words.map(shellWord).join(" ")}`]);
      assert.deepEqual(stdout.split("\0").slice(0, -1), words, shell);
    }
  },
});
