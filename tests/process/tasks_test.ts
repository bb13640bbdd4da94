/** The tasks of deno.json as a user starts them, from wherever they stand. */
import assert from "node:assert/strict";
import { withFolder } from "../temporary_folder.ts";
import { PROJECT } from "./command_line.ts";

const ignore = Deno.build.os === "windows";

/** Runs a task from a folder, with nobody to answer questions. */
async function task(cwd: string, words: readonly string[]) {
  // Deno sets it only where it is not set yet, as it is within a task that runs these tests.
  const { INIT_CWD: _, ...env } = Deno.env.toObject();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "--config", `${PROJECT}/deno.json`, ...words],
    cwd,
    clearEnv: true,
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test({
  name: "deno task keygen writes where the user stands, says where, and writes nowhere else unless it may",
  ignore,
  fn: () =>
    withFolder(async (outer) => {
      const here = `${await Deno.realPath(outer)}/it is here`, elsewhere = `${outer}/elsewhere`;
      await Deno.mkdir(here);
      await Deno.mkdir(elsewhere);
      const checkout = names(PROJECT);
      const made = await task(here, ["keygen", "--out", "my.pem"]);
      assert.equal(made.code, 0, made.stderr);
      assert.ok(made.stdout.includes(`private key  ${here}/my.pem `), made.stdout);
      assert.deepEqual(names(here), ["my.pem", "my.pub.pem"]);
      assert.deepEqual(names(PROJECT), checkout);

      const before = await Deno.readTextFile(`${here}/my.pub.pem`);
      await Deno.remove(`${here}/my.pem`);
      const again = await task(here, ["keygen", "--out", "./my.pem"]);
      assert.equal(again.code, 2);
      assert.match(again.stderr, /There is a public key in ".*\/it is here\/my\.pub\.pem" already.*\[KEY_EXISTS\]/);
      assert.equal(await Deno.readTextFile(`${here}/my.pub.pem`), before);

      const refused = await task(here, ["keygen", "--out", `${elsewhere}/my.pem`]);
      assert.equal(refused.code, 2);
      assert.ok(refused.stderr.includes(`add --allow-read=${elsewhere} and --allow-write=${elsewhere}: `));
      const command = /: (cd .*) \[PERMISSION_DENIED\]/.exec(refused.stderr)?.[1] ?? "";
      assert.deepEqual(names(elsewhere), []);
      const { success } = await new Deno.Command("sh", {
        args: ["-c", command.replace("deno run", `'${Deno.execPath()}' run`)],
        cwd: here,
        stdout: "null",
      }).output();
      assert(success, command);
      assert.deepEqual(names(elsewhere), ["my.pem", "my.pub.pem"], "the command that the message gives does it");
    }),
});

Deno.test({
  name: "deno task verify reads what the user names from where they stand",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      const here = await Deno.realPath(folder);
      await Deno.mkdir(`${here}/got`);
      await Deno.writeTextFile(`${here}/got/manifest.dsse.json`, "{}");
      for (const [cwd, path] of [[here, "got/manifest.dsse.json"], [`${here}/got`, "manifest.dsse.json"]] as const) {
        const { code, stdout, stderr } = await task(cwd, ["verify", path]);
        assert.equal(code, 1, stdout + stderr);
        assert.match(stdout, /envelope +FAILED/);
      }
      const { stdout, stderr } = await task(here, ["verify", "nothing"]);
      assert.ok(`${stdout}${stderr}`.includes(`Cannot read "${here}/nothing", there is no such file`), stdout + stderr);
    }),
});

Deno.test({
  name: "a task says of /dev that Deno opens it with --allow-all alone, for reading and writing",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withFolder(async (folder) => {
      for (
        const words of [
          ["keygen", "--out", "/dev/shm/rewarm-test.pem"],
          ["diff", "/dev/shm/rewarm-test", "/dev/shm/rewarm-test"],
          ["reproduce", "--scale", "smoke", "--out", "/dev/shm/rewarm-test"],
        ]
      ) {
        const { code, stdout, stderr } = await task(folder, words);
        assert.equal(code, 2, stdout + stderr);
        assert.match(
          stderr,
          /Deno opens \/dev only with --allow-all: .* elsewhere, or run cd \S+ && deno run --allow-all /,
        );
      }
    }),
});

Deno.test({
  name: "deno task reproduce touches nothing that links in its output folder lead to, nor in a folder that it refuses",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      const here = await Deno.realPath(folder);
      const smoke = ["reproduce", "--scale", "smoke", "--only", "upstream", "--out"];
      await Deno.writeTextFile(`${here}/victim`, "years of work");
      await Deno.mkdir(`${here}/others/checkpoints`, { recursive: true });
      const made = await task(here, [...smoke, "out"]);
      assert.equal(made.code, 0, made.stderr);
      const [run = ""] = names(`${here}/out/runs`);

      /** Puts a link into a copy of the folder, whose run is not finished, and repeats the command. */
      const withLink = async (path: string, target: string) => {
        const copy = `${here}/copy`;
        await new Deno.Command("cp", { args: ["-a", `${here}/out`, copy] }).output();
        await Deno.remove(`${copy}/manifest.dsse.json`);
        await Deno.remove(`${copy}/runs/${run}/run.json`);
        await Deno.remove(`${copy}/${path}`, { recursive: true }).catch(() => {});
        await Deno.symlink(target, `${copy}/${path}`);
        const { code, stderr } = await task(here, [...smoke, "copy"]);
        assert.equal(code, 2, `${path}: ${stderr}`);
        assert.ok(stderr.includes(`"${copy}/${path}" is a symbolic link`) && stderr.includes("[IS_A_LINK]"), stderr);
        await Deno.remove(copy, { recursive: true });
      };
      await withLink(".lock", `${here}/victim`);
      await withLink(`runs/${run}/journal.jsonl`, `${here}/victim`);
      await withLink(`runs/${run}`, `${here}/others`);

      await Deno.mkdir(`${here}/theirs`);
      await Deno.writeTextFile(`${here}/theirs/thesis.tex`, "");
      await Deno.symlink(`${here}/victim`, `${here}/theirs/.lock`);
      const refused = await task(here, [...smoke, "theirs"]);
      assert.match(refused.stderr, /\[OUTPUT_FOLDER_NOT_OURS\]/);
      assert.deepEqual(names(`${here}/theirs`), [".lock", "thesis.tex"]);
      assert.equal(await Deno.readTextFile(`${here}/victim`), "years of work");
      assert.deepEqual(names(`${here}/others/checkpoints`), []);

      const whole = await task(here, [...smoke, `${here}/again`]);
      assert.equal(whole.code, 0, whole.stderr);
      const { payload } = JSON.parse(await Deno.readTextFile(`${here}/again/manifest.dsse.json`));
      const text = new TextDecoder().decode(Uint8Array.fromBase64(payload));
      assert.ok(!text.includes(here) && !text.includes(PROJECT), "no path of this machine is in the manifest");
      const { command } = JSON.parse(text).predicate;
      assert.deepEqual(command, [...smoke, "again"]);
    }),
});

Deno.test({
  name: "main.ts that is started by hand in the project's folder takes paths from INIT_CWD, where it may read that",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      const here = await Deno.realPath(folder);
      const keygen = async (permissions: readonly string[], out: string) =>
        await new Deno.Command(Deno.execPath(), {
          args: ["run", "--allow-read", "--allow-write", ...permissions, "src/cli/main.ts", "keygen", "--out", out],
          cwd: PROJECT,
          env: { INIT_CWD: here },
          stdin: "null",
          stdout: "null",
        }).output();
      assert((await keygen(["--allow-env=INIT_CWD"], "my.pem")).success);
      assert.deepEqual(names(here), ["my.pem", "my.pub.pem"]);
      assert((await keygen(["--deny-env"], `${here}/other.pem`)).success);
    }),
});
