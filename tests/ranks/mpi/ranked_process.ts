/** `reproduce:ranks` in processes of their own, and what a single process leaves of the same plan. */
import assert from "node:assert/strict";
import { task, trained } from "../../cluster/launched.ts";
import { descendants, isAlive, runProgram } from "../../processes.ts";
import { type Ended, finished, type MpiLauncher, startRanks } from "./launchers.ts";

const PROJECT = decodeURIComponent(new URL("../../../", import.meta.url).pathname).replace(/\/$/, "");

/** Tasks that ranks are started with. */
type RanksTask = "reproduce:ranks" | "reproduce:cuda-ranks";

/** Words that a task gives to Deno, for a folder where the user stands. */
async function taskWords(name: RanksTask, folder: string): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${PROJECT}/deno.json`));
  const { command } = tasks[name] as { command: string };
  return command.replace(/^deno /, "").replaceAll('"$INIT_CWD"', folder).split(" ").concat("--threads", "1");
}

/** A plan in a folder of its own, trained by ranks. */
export class RankedPlan {
  /** @param choice words that determine the plan */
  constructor(readonly folder: string, readonly choice: readonly string[]) {}

  /** Where a way of training it writes to. */
  output(name: string): string {
    return `${this.folder}/${name}`;
  }

  /** Starts ranks; the child is the launcher. */
  async start(
    launcher: MpiLauncher,
    ranks: number,
    { name = "out", words = [], lastWords, task = "reproduce:ranks" }: {
      readonly name?: string;
      readonly words?: readonly string[];
      readonly lastWords?: readonly string[];
      readonly task?: RanksTask;
    } = {},
  ): Promise<Deno.ChildProcess> {
    const own = [...this.choice, "--out", this.output(name), ...words];
    return startRanks(launcher, ranks, [...await taskWords(task, this.folder), ...own], { cwd: PROJECT, lastWords });
  }

  /** Trains it by ranks to the end; the digests of what they left. */
  async train(launcher: MpiLauncher, ranks: number, name = "out"): Promise<Map<string, string>> {
    const { code, stdout, stderr } = await finished(await this.start(launcher, ranks, { name }));
    assert.equal(code, 0, stdout + stderr);
    return await trained(this.output(name));
  }

  /** Trains it by a single process; the digests of what that left. */
  async trainAlone(name = "alone"): Promise<Map<string, string>> {
    const words = ["reproduce:native", ...this.choice, "--threads", "1", "--out", this.output(name)];
    const { code, stderr } = await task(this.folder, words);
    assert.equal(code, 0, stderr);
    return await trained(this.output(name));
  }

  /** Waits until a run's journal has some lines. */
  async journalHas(lines: number, name = "out"): Promise<void> {
    for (let waited = 0; waited < 60_000; waited += 20) {
      for await (const run of runsIn(this.output(name))) {
        const text = await Deno.readTextFile(`${run}/journal.jsonl`).catch(() => "");
        if (text.split("\n").length - 1 >= lines) return;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`No journal has ${lines} lines after a minute`);
  }
}

async function* runsIn(output: string): AsyncGenerator<string> {
  try {
    for await (const { name } of Deno.readDir(`${output}/runs`)) yield `${output}/runs/${name}`;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The process of a rank below a launcher, by what the launcher wrote into its environment. */
export async function pidOf(launcher: Deno.ChildProcess, rank: number): Promise<number> {
  for (let waited = 0; waited < 20_000; waited += 50) {
    for (const pid of await descendants(launcher.pid)) {
      const words = (await runProgram("ps", ["eww", "-p", `${pid}`, "-o", "args="])).stdout.split(/\s+/);
      const isRank = words.includes(`OMPI_COMM_WORLD_RANK=${rank}`) || words.includes(`PMI_RANK=${rank}`);
      if (isRank && words[0]?.endsWith("deno") === true) return pid;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`No process of rank ${rank}`);
}

/** Waits for the end of a launcher, and until none of its ranks is left. */
export async function allEnded(child: Deno.ChildProcess): Promise<Ended> {
  const pids = await descendants(child.pid);
  const ended = await finished(child);
  for (let waited = 0; waited < 10_000 && pids.some(isAlive); waited += 50) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.deepEqual(pids.filter(isAlive), [], "processes that did not end");
  return ended;
}
