/** The steps of action.yml, run by bash in a repository of Git's, as a runner would. */
import assert from "node:assert/strict";
import { parse } from "@std/yaml";
import { withFolder } from "../temporary_folder.ts";
import { PROJECT, REPRODUCE, rewarm } from "./command_line.ts";

interface Action {
  readonly inputs: Readonly<Record<string, { readonly default: string }>>;
  readonly runs: {
    readonly using: string;
    readonly steps: readonly { readonly shell: string; readonly run: string; readonly env: Record<string, string> }[];
  };
}

const ACTION = parse(await Deno.readTextFile(`${PROJECT}/action.yml`)) as Action;

async function has(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"], stdout: "null" }).output()).success;
  } catch {
    return false;
  }
}

const ignore = !(await has("git")) || !(await has("bash"));
if (ignore) console.log("git or bash is not installed: action.yml is not run");

/** A repository with a base branch and a pull request in it, and the action's step on it. */
function withRepository(
  use: (repository: {
    readonly path: string;
    git(...args: readonly string[]): Promise<void>;
    act(inputs: Readonly<Record<string, string>>): Promise<{
      code: number;
      log: string;
      summary: string;
      outputs: string;
    }>;
  }) => Promise<void>,
): Promise<void> {
  return withFolder(async (folder) => {
    const path = `${await Deno.realPath(folder)}/repository`;
    const clean = { PATH: `${folder}/bin:${Deno.env.get("PATH")}`, HOME: folder, NO_COLOR: "1" };
    await Deno.mkdir(path);
    await Deno.mkdir(`${folder}/bin`);
    await Deno.mkdir(`${folder}/temp`);
    // The Deno that runs this test stands for the one that npx would fetch.
    const npx = `#!/bin/sh\n[ "$2" = deno@2.9.6 ] || exit 9\nshift 2\nexec '${Deno.execPath()}' "$@"\n`;
    await Deno.writeTextFile(`${folder}/bin/npx`, npx, { mode: 0o755 });
    const decoder = new TextDecoder();
    const git = async (...args: readonly string[]) => {
      const { success, stderr } = await new Deno.Command("git", {
        args: ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", ...args],
        cwd: path,
        clearEnv: true,
        env: clean,
      }).output();
      assert(success, decoder.decode(stderr));
    };
    const act = async (inputs: Readonly<Record<string, string>>) => {
      const [step] = ACTION.runs.steps;
      assert(step !== undefined && step.shell === "bash");
      const env: Record<string, string> = {};
      for (const [name, value] of Object.entries(step.env)) {
        const input = /^\$\{\{ inputs\.([a-z-]+) \}\}$/.exec(value)?.[1];
        if (input === undefined) continue;
        env[name] = inputs[input] ?? (input === "base" ? "main" : ACTION.inputs[input]?.default ?? "");
      }
      await Deno.writeTextFile(`${folder}/summary`, "");
      await Deno.writeTextFile(`${folder}/outputs`, "");
      const { code, stdout, stderr } = await new Deno.Command("bash", {
        args: ["--noprofile", "--norc", "-eo", "pipefail", "-c", step.run],
        cwd: path,
        clearEnv: true,
        env: {
          ...clean,
          ...env,
          ACTION_PATH: PROJECT,
          RUNNER_TEMP: `${folder}/temp`,
          GITHUB_WORKSPACE: path,
          GITHUB_STEP_SUMMARY: `${folder}/summary`,
          GITHUB_OUTPUT: `${folder}/outputs`,
          CI: "true",
        },
      }).output();
      return {
        code,
        log: decoder.decode(stdout) + decoder.decode(stderr),
        summary: await Deno.readTextFile(`${folder}/summary`),
        outputs: await Deno.readTextFile(`${folder}/outputs`),
      };
    };
    await git("init", "--quiet", "--initial-branch=main");
    await git("commit", "--quiet", "--allow-empty", "--message=start");
    await use({ path, git, act });
  });
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copy(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

const V2 = `${PROJECT}/tests/fixtures/manifests/v2`;

Deno.test("action.yml uses no other action, and puts no expression into its script", () => {
  assert.equal(ACTION.runs.using, "composite");
  for (const step of ACTION.runs.steps) {
    assert(!("uses" in step));
    assert.doesNotMatch(step.run, /\$\{\{/);
  }
});

Deno.test({
  name: "action.yml verifies what a pull request adds, and fails on what it damages",
  ignore,
  fn: () =>
    withRepository(async ({ path, git, act }) => {
      await Deno.mkdir(`${path}/keys`);
      await Deno.copyFile(`${V2}/maker.pub.pem`, `${path}/keys/maker's own.pem`);
      await git("add", ".");
      await git("commit", "--quiet", "--message=keys");
      await git("checkout", "--quiet", "-b", "evidence");
      await copy(V2, `${path}/evidence`);
      // Not taken: npx and Deno are started from where the action lies.
      await Deno.writeTextFile(`${path}/.npmrc`, "registry=http://127.0.0.1:9/\n");
      await Deno.writeTextFile(`${path}/deno.json`, '{ "tasks": { "pull-request": "exit 0" } }\n');
      await git("add", "--force", ".");
      await git("commit", "--quiet", "--message=evidence");
      const inputs = { "public-keys": "keys/maker's own.pem\n", "without-checkpoints": "true" };
      const good = await act(inputs);
      assert.equal(good.code, 0, good.log);
      assert.equal(good.outputs, "verdict=verified\nmanifests=1\n");
      assert.match(good.summary, /^## Manifests of this pull request: verified\n/);
      assert.match(good.log, /^::notice file=evidence\/manifest\.dsse\.json,title=rewarm::Verified; not checked: /m);

      const retrained = await act({ ...inputs, retrain: "0" });
      assert.equal(retrained.code, 2, retrained.log);
      assert.match(retrained.summary, /"--retrain" is "0"/);

      await Deno.writeTextFile(`${path}/evidence/plan.json`, " ", { append: true });
      await git("commit", "--quiet", "--all", "--message=damage");
      const bad = await act(inputs);
      assert.equal(bad.code, 1, bad.log);
      assert.equal(bad.outputs, "verdict=failed\nmanifests=1\n");
      assert.match(bad.log, /^::error file=evidence\/manifest\.dsse\.json,title=rewarm::Failed: /m);
    }),
});

Deno.test({
  name: "action.yml takes names that Git would quote, checks nothing where nothing is touched, and misses no base",
  ignore,
  fn: () =>
    withRepository(async ({ path, git, act }) => {
      await git("checkout", "--quiet", "-b", "other");
      await Deno.writeTextFile(`${path}/readme`, "text");
      await git("add", ".");
      await git("commit", "--quiet", "--message=text");
      const none = await act({});
      assert.equal(none.code, 0, none.log);
      assert.equal(none.outputs, "verdict=nothing to check\nmanifests=0\n");

      await Deno.writeTextFile(`${path}/é "$(touch forged)"\n::error::x.tar`, "text");
      await git("add", ".");
      await git("commit", "--quiet", "--message=names");
      const hostile = await act({ folder: "" });
      assert.equal(hostile.code, 1, hostile.log);
      assert.match(
        hostile.log,
        /^::error file=é "\$\(touch forged\)"%0A%3A%3Aerror%3A%3Ax\.tar,title=rewarm::Failed: /m,
      );
      assert.equal((await act({ folder: "evidence" })).outputs, "verdict=nothing to check\nmanifests=0\n");

      const missing = await act({ base: "origin/main" });
      assert.equal(missing.code, 2);
      assert.match(missing.log, /^::error title=rewarm::The base branch is not there: .*fetch-depth: 0/m);
    }),
});

Deno.test({
  name: "action.yml retrains segments of what a pull request changes, and compares it with the base branch",
  ignore,
  fn: () =>
    withRepository(async ({ path, git, act }) => {
      const words = ["reproduce", "--scale", "smoke", "--out", `${path}/evidence`];
      const made = await rewarm(PROJECT, REPRODUCE, words);
      assert.equal(made.code, 0, made.stderr);
      await git("add", "--force", ".");
      await git("commit", "--quiet", "--message=evidence");
      await git("checkout", "--quiet", "-b", "again");
      await Deno.remove(`${path}/evidence/manifest.dsse.json`);
      const again = await rewarm(PROJECT, REPRODUCE, [...words, "--seeds", "1", "--retrain", "1"]);
      assert.equal(again.code, 0, again.stderr);
      await git("add", "--force", ".");
      await git("commit", "--quiet", "--message=again");
      const { code, log, summary } = await act({ retrain: "2" });
      assert.equal(code, 0, log);
      assert.match(summary, /\n- retrain: ok: `2 of \d+ segments retrained, /);
      assert.match(summary, /the same bits as in the base branch, in all \d+ runs\n/);
    }),
});
