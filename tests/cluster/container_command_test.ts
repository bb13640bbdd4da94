/**
 * What containers are started with, executed here: the image's entrypoint with the words that Kubernetes and SkyPilot
 * are given. The image's folders are folders of the test; Deno and the program are this checkout's.
 */
import assert from "node:assert/strict";
import type { Job } from "kubernetes-types/batch/v1";
import type { SkyPilotTask } from "../../src/launch/skypilot/task.ts";
import { parseYaml } from "../../src/text/yaml.ts";
import { withFolder } from "../temporary_folder.ts";
import { task, trained } from "./launched.ts";
import { type Printed, runProgram } from "../processes.ts";

const ignore = Deno.build.os !== "linux";
const PROJECT = decodeURIComponent(new URL("../../", import.meta.url).pathname).replace(/\/$/, "");
const CHOICE = ["--scale", "smoke", "--only", "warmup-length/1%", "max-learning-rate/2x"];
const ONE_RUN = ["--scale", "smoke", "--only", "from-scratch/scratch"];
const IMAGE = ["--image", `rewarm@sha256:${"0".repeat(64)}`];

/** A word of a container's, with the image's folders where the test has them. */
function here(word: string, folder: string): string {
  return word.replaceAll("/rewarm/src/", `${PROJECT}/src/`).replaceAll("/rewarm/out", `${folder}/out`)
    .replaceAll("cd /rewarm", `cd '${folder}'`);
}

async function start(folder: string, program: string, words: readonly string[]): Promise<Printed> {
  for (const name of ["out", ".cache"]) await Deno.mkdir(`${folder}/${name}`, { recursive: true });
  const deno = Deno.execPath().replace(/\/[^/]*$/, "");
  const env = { PATH: `${deno}:${Deno.env.get("PATH")}`, NO_COLOR: "1" };
  return await runProgram(program, words.map((word) => here(word, folder)), { cwd: folder, env });
}

/** YAML that a launch prints. */
async function launched(folder: string, words: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await task(folder, ["launch", ...words]);
  assert.equal(code, 0, stderr);
  return parseYaml(stdout, "launched.yaml");
}

/** The same by one process. */
async function alone(folder: string, choice: readonly string[]): Promise<Map<string, string>> {
  const { code, stderr } = await task(folder, ["reproduce:native", ...choice, "--out", `${folder}/alone`]);
  assert.equal(code, 0, stderr);
  return await trained(`${folder}/alone`);
}

Deno.test({
  name:
    "the containers of launch kubernetes train the plan, two workers at a time, and end with the bytes of one process",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      const job = await launched(folder, [
        "kubernetes",
        ...CHOICE,
        ...IMAGE,
        "--claim",
        "shared",
        "--cpus",
        "1",
      ]) as Job;
      const pod = job.spec?.template.spec;
      const entrypoint = ["/rewarm/src/container/entrypoint.sh"];
      const plan = () => start(folder, "sh", [...entrypoint, ...pod?.initContainers?.[0]?.args ?? []]);
      for (const { code, stderr } of await Promise.all([plan(), plan()])) assert.equal(code, 0, stderr);
      const words = [...entrypoint, ...pod?.containers[0]?.args ?? []];
      // As the job's controller does: what ends with 75 or 130 is started again.
      const worker = async () => {
        for (let attempts = 0; attempts < 30; attempts++) {
          const { code, stderr } = await start(folder, "sh", words);
          if (code === 0) return;
          assert.equal(code, 75, stderr);
        }
        throw new Error("a worker was started 30 times, and is not done");
      };
      await Promise.all([worker(), worker()]);
      assert.deepEqual(await trained(`${folder}/out/smoke`), await alone(folder, CHOICE));
    }),
});

Deno.test({
  name: "the command of launch skypilot writes the plan and trains it",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      const { run } = await launched(folder, ["skypilot", ...ONE_RUN, ...IMAGE, "--volume", "shared"]) as SkyPilotTask;
      const { code, stderr } = await start(folder, "bash", ["-c", run]);
      assert.equal(code, 0, stderr);
      assert.deepEqual(await trained(`${folder}/out/smoke`), await alone(folder, ONE_RUN));
    }),
});
