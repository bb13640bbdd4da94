/** A plan that is launched into a folder, as a person does it: by the tasks of deno.json. */
import assert from "node:assert/strict";
import { type Printed, runProgram } from "../processes.ts";
import type { SlurmHere } from "./slurm_here.ts";

const PROJECT = decodeURIComponent(new URL("../../", import.meta.url).pathname).replace(/\/$/, "");

/** Runs a task from a folder, which it may write to. */
export function task(folder: string, words: readonly string[], env: Record<string, string> = {}): Promise<Printed> {
  return runProgram(Deno.execPath(), ["task", "--quiet", "--config", `${PROJECT}/deno.json`, ...words], {
    cwd: folder,
    env: { ...env, INIT_CWD: folder, NO_COLOR: "1" },
  });
}

/** A launch of some plan into `FOLDER/out`. */
export class Launched {
  readonly output: string;

  /** @param choice words that determine the plan */
  constructor(readonly cluster: SlurmHere, readonly folder: string, readonly choice: readonly string[]) {
    this.output = `${folder}/out`;
  }

  /** `launch slurm`; what it printed. */
  async launch(own: readonly string[], options: readonly string[]): Promise<string> {
    const words = [
      "launch",
      "slurm",
      ...this.choice,
      "--out",
      this.output,
      ...own,
      "--",
      "--cpus-per-task=1",
      ...options,
    ];
    const { code, stdout, stderr } = await task(this.folder, words, this.cluster.environment);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  /** The number of a run's job that is in the queue. */
  async job(label: string): Promise<string> {
    const found = [...await this.cluster.queue()].find(([name]) => name.startsWith(`rewarm:${label}:`))?.[1];
    assert(found !== undefined, `no job of ${label} in the queue`);
    return found;
  }

  /** A job's log; empty where it has not begun. */
  async log(label: string, job: string): Promise<string> {
    return await Deno.readTextFile(`${this.output}/launch/logs/${label}.${job}.log`).catch(() => "");
  }

  /** All logs, for a failed test to show. */
  async logs(): Promise<string> {
    const folder = `${this.output}/launch/logs`;
    const texts: string[] = [];
    for await (const { name } of Deno.readDir(folder)) {
      texts.push(`${name}:\n${await Deno.readTextFile(`${folder}/${name}`)}`);
    }
    return texts.join("\n");
  }

  /** Lines of a run's journal so far. */
  async journalLines(label: string): Promise<number> {
    const text = await Deno.readTextFile(`${this.output}/runs/${label}/journal.jsonl`).catch(() => "");
    return text.split("\n").length - 1;
  }

  /** Waits until all jobs have ended. */
  async ended(seconds = 90): Promise<void> {
    await this.cluster.until("all jobs have ended", async () => (await this.cluster.queue()).size === 0, seconds);
  }
}

/** Digests of what a plan's runs left: all but what tells who trained them. */
export async function trained(output: string): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  const visit = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      if (isDirectory) await visit(path);
      else if (/^(journal\.jsonl|curves\.json|step-.*\.safetensors)$/.test(name)) {
        const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path)));
        digests.set(path.slice(output.length + 1), digest.toHex());
      }
    }
  };
  await visit(`${output}/runs`);
  return new Map([...digests].sort());
}

/** What a manifest states of the plan, its runs and the claims: all but who trained them, where, and when. */
export async function concluded(output: string): Promise<unknown> {
  const { payload } = JSON.parse(await Deno.readTextFile(`${output}/manifest.dsse.json`));
  const { predicate } = JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(payload)));
  const pick = (from: Record<string, unknown>, names: readonly string[]) =>
    Object.fromEntries(names.map((name) => {
      assert(from[name] !== undefined, `"${name}" is not stated`);
      return [name, from[name]];
    }));
  const ofRun = ["label", "key", "specification", "steps", "outcome", "journal", "curves", "states", "merkleTree"];
  return {
    ...pick(predicate, [
      "claims",
      "comparisons",
      "corpora",
      "data",
      "inputs",
      "paper",
      "plan",
      "readings",
      "scale",
      "seeds",
    ]),
    runs: predicate.runs.map((run: Record<string, unknown>) => pick(run, ofRun)),
  };
}
