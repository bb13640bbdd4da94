/** The container's entrypoint, run by a shell with a stand-in for Deno that says how it was called. */
import assert from "node:assert/strict";
import { PROJECT } from "../container/dockerfile.ts";
import { withFolder } from "../temporary_folder.ts";
import type { Ended } from "./container_image.ts";

const ignore = Deno.build.os !== "linux";

/** Prints its arguments one a line, and ends as it is told; or waits for a signal and ends by it. */
const STAND_IN = `#!/bin/sh
trap 'exit 42' TERM
trap 'exit 43' INT
printf '%s\\n' "$@"
if [ "\${WAIT-}" = yes ]; then
  echo ready
  while :; do sleep 0.02; done
fi
exit "\${EXIT_CODE-0}"
`;

/** A folder that stands for the image's `/rewarm`. */
interface StandIn {
  readonly root: string;
  command(args: readonly string[], options?: Deno.CommandOptions): Deno.Command;
  run(args: readonly string[], options?: Deno.CommandOptions): Promise<Ended>;
}

function withStandIn(use: (image: StandIn) => Promise<void>): Promise<void> {
  return withFolder(async (root) => {
    await Deno.chmod(root, 0o755);
    for (const folder of ["bin", "src/cli", "src/container", "out"]) {
      await Deno.mkdir(`${root}/${folder}`, { recursive: true });
    }
    await Deno.copyFile(new URL("src/container/entrypoint.sh", PROJECT), `${root}/src/container/entrypoint.sh`);
    await Deno.writeTextFile(`${root}/bin/deno`, STAND_IN, { mode: 0o755 });
    const command = (args: readonly string[], options: Deno.CommandOptions = {}) =>
      new Deno.Command("sh", {
        args: [`${root}/src/container/entrypoint.sh`, ...args],
        cwd: root,
        stdout: "piped",
        stderr: "piped",
        ...options,
        env: { PATH: `${root}/bin:${Deno.env.get("PATH")}`, ...options.env },
      });
    await use({
      root,
      command,
      run: async (args, options) => {
        const { code, stdout, stderr } = await command(args, options).output();
        const decoder = new TextDecoder();
        return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
      },
    });
  });
}

/** What Deno was called with: its own flags, and what the program gets. */
function callOf(root: string, { stdout }: Ended): { flags: string[]; args: string[] } {
  const words = stdout.split("\n").slice(0, -1);
  const main = words.indexOf(`${root}/src/cli/main.ts`);
  assert(words[0] === "run" && main > 0, stdout);
  return { flags: words.slice(1, main), args: words.slice(main + 1) };
}

/** Permissions of each subcommand by the tasks of deno.json; those of one subcommand's tasks together. */
const TASKS = new Map<string, Set<string>>();
const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", PROJECT)));
for (const { command } of Object.values<{ command: string }>(tasks)) {
  const [, flags, name] = /^deno run (.*) src\/cli\/main\.ts (\w+)/.exec(command) ?? [];
  if (flags === undefined || name === undefined) continue;
  const known = TASKS.get(name) ?? new Set();
  for (const flag of flags.split(" ")) known.add(flag);
  TASKS.set(name, known);
}

/** Programs that are not in the image: NVIDIA's compiler, since NVRTC compiles there, and Slurm's. */
const NOT_IN_THE_IMAGE = ["--allow-run=nvcc", "--allow-run=sbatch,squeue"];

Deno.test({
  name:
    "the entrypoint gives every subcommand the permissions that its task has, and never programs or all the network",
  ignore,
  fn: () =>
    withStandIn(async ({ root, run }) => {
      assert(TASKS.size >= 9, [...TASKS.keys()].join(" "));
      for (const [name, wanted] of TASKS) {
        const ended = await run([name, "--scale", "smoke"]);
        assert.equal(ended.code, 0, ended.stderr);
        const { flags, args } = callOf(root, ended);
        assert.deepEqual(args, [name, "--scale", "smoke"]);
        const lacking = [...wanted].filter((flag) => !flags.includes(flag) && !flags.includes(flag.replace(/=.*/, "")));
        assert.deepEqual(lacking.filter((flag) => !NOT_IN_THE_IMAGE.includes(flag)), [], name);
        assert(flags.every((flag) => !/^(-A$|--allow-(all|net$|run|import))/.test(flag)), `${name}: ${flags}`);
        for (const flag of ["--cached-only", "--frozen", "--no-prompt"]) {
          assert(flags.includes(flag), `${name}: ${flags}`);
        }
      }
    }),
});

Deno.test({
  name: "the entrypoint lets verify write nothing and call no native library",
  ignore,
  fn: () =>
    withStandIn(async ({ root, run }) => {
      const { flags } = callOf(root, await run(["verify", "out/tiny/manifest.dsse.json"]));
      assert.deepEqual(flags.filter((flag) => /write|ffi|env/.test(flag)), []);
    }),
});

Deno.test({
  name: "the entrypoint passes arguments on as they are, from whatever folder",
  ignore,
  fn: () =>
    withStandIn(async ({ root, run }) => {
      const words = ["frobnicate", "two words", "", "*", "$HOME", "--", "-x=\\", "'\""];
      for (const cwd of [root, "/"]) assert.deepEqual(callOf(root, await run(words, { cwd })).args, words);
      assert.deepEqual(callOf(root, await run([])).args, []);
      const { flags } = callOf(root, await run(["plan"], { cwd: "/" }));
      assert.equal(flags[flags.indexOf("--config") + 1], `${root}/deno.json`);
    }),
});

Deno.test({
  name: "the entrypoint ends with the program's exit code",
  ignore,
  fn: () =>
    withStandIn(async ({ run }) => {
      for (const code of [0, 1, 2, 130]) {
        assert.equal((await run(["reproduce"], { env: { EXIT_CODE: `${code}` } })).code, code);
      }
    }),
});

for (const [signal, code] of [["SIGTERM", 42], ["SIGINT", 43]] as const) {
  Deno.test({
    name: `the entrypoint gives ${signal} to the program, whose process it becomes`,
    ignore,
    fn: () =>
      withStandIn(async ({ command }) => {
        const process = command(["reproduce"], { env: { WAIT: "yes" } }).spawn();
        const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
        let printed = "";
        while (!printed.includes("ready")) {
          const { value, done } = await reader.read();
          assert(!done, printed);
          printed += value;
        }
        process.kill(signal);
        const status = await process.status;
        await reader.cancel();
        await process.stderr.cancel();
        assert.equal(status.code, code);
      }),
  });
}

Deno.test({
  name: "the entrypoint says how to give the container a user when a mounted folder is another's",
  ignore,
  fn: () =>
    withStandIn(async ({ root, run }) => {
      // A test that runs as root takes another user's part; any other user takes away its own right.
      const someone = Deno.uid() === 0 ? { uid: 65534, gid: 65534 } : {};
      await Deno.chmod(`${root}/out`, 0o555);
      const { code, stdout, stderr } = await run(["reproduce", "--scale", "smoke"], someone);
      assert.equal(code, 2);
      assert.equal(stdout, "");
      assert.match(
        stderr,
        /^error: ".*\/out" belongs to user \d+ and group \d+, and this container runs as user \d+: /,
      );
      assert(stderr.includes('--user "$(id -u):$(id -g)"'), stderr);
      assert.match(stderr, /\[PERMISSION_DENIED\]\n$/);
      assert.equal((await run(["verify", "out/smoke"], someone)).code, 0, "reading needs no such right");
      await Deno.chmod(`${root}/out`, 0o1777);
      assert.equal((await run(["reproduce"], someone)).code, 0);
    }),
});
