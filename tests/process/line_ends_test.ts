/** The same reproduction from a checkout as Git for Windows makes it, and from one whose files were changed after it. */
import assert from "node:assert/strict";
import { withFolder } from "../temporary_folder.ts";
import { PROJECT, REPRODUCE } from "./command_line.ts";

const WORDS = ["reproduce", "--scale", "smoke", "--only", "warmup-length/0%", "--threads", "1", "--out", "out/x"];

/** Runs a program; gives what it printed to both streams. */
async function run(program: string, cwd: string, ...args: string[]): Promise<string> {
  const output = await new Deno.Command(program, { args, cwd, env: { NO_COLOR: "1" }, stdin: "null" }).output();
  const text = new TextDecoder().decode(output.stdout) + new TextDecoder().decode(output.stderr);
  assert(output.success, `${program} ${args.join(" ")}:\n${text}`);
  return text;
}

const rewarm = (checkout: string, permissions: readonly string[], ...args: string[]) =>
  run(
    Deno.execPath(),
    checkout,
    "run",
    "--config",
    `${checkout}/deno.json`,
    ...permissions,
    "src/cli/main.ts",
    ...args,
  );

const isRepository = await run("git", PROJECT, "rev-parse", "--git-dir").then(() => true, () => false);

/** Clones as Git for Windows does by default, with the packages of this checkout. */
async function clone(to: string): Promise<void> {
  await run("git", PROJECT, "clone", "-q", "-c", "core.autocrlf=true", PROJECT, to);
  await Deno.symlink(`${PROJECT}/node_modules`, `${to}/node_modules`);
}

/** Tracked files by the line ends that they have in the checkout: `lf`, `crlf`, `mixed`, `-text` or `none`. */
async function lineEnds(checkout: string): Promise<[kind: string, path: string][]> {
  const lines = (await run("git", checkout, "ls-files", "--eol")).trim().split("\n");
  return lines.map((line) => [/ w\/(\S*)/.exec(line)?.[1] ?? "", line.split("\t")[1] ?? ""]);
}

Deno.test({
  name: "a checkout has LF whatever Git is set to",
  // Without Git, or where the project is no repository, there is nothing to check out.
  ignore: !isRepository,
  fn: () =>
    withFolder(async (folder) => {
      await clone(`${folder}/windows`);
      const others = (await lineEnds(`${folder}/windows`)).filter(([kind]) => !["lf", "none", "-text"].includes(kind));
      assert.deepEqual(others, []);
    }),
});

Deno.test({
  name: "a checkout with CRLF gives the manifest of one with LF, says what it has, and raises no alarm",
  ignore: !isRepository,
  fn: () =>
    withFolder(async (folder) => {
      const [plain, windows] = [`${folder}/plain`, `${folder}/windows`];
      await clone(plain);
      await clone(windows);
      for (const [kind, path] of await lineEnds(windows)) {
        if (kind !== "lf" || path.startsWith("tests/")) continue;
        const text = await Deno.readTextFile(`${windows}/${path}`);
        await Deno.writeTextFile(`${windows}/${path}`, text.replaceAll("\n", "\r\n"));
      }
      assert.doesNotMatch(await rewarm(plain, REPRODUCE, ...WORDS), /CRLF/);
      assert.match(
        await rewarm(windows, REPRODUCE, ...WORDS),
        /warning: this checkout has Windows line ends \(CRLF\) in /,
      );

      const verified = await rewarm(plain, ["--allow-read"], "verify", `${windows}/out/x/manifest.dsse.json`);
      assert.match(verified, /Verified/);
      assert.doesNotMatch(verified, /are not those/);
      const compared = await rewarm(plain, ["--allow-read"], "diff", `${plain}/out/x`, `${windows}/out/x`);
      assert.match(compared, /Same bits/);
      assert.doesNotMatch(compared, /\* engine: kernels/);

      const inputs = async (checkout: string) => {
        const { payload } = JSON.parse(await Deno.readTextFile(`${checkout}/out/x/manifest.dsse.json`));
        const { predicate } = JSON.parse(atob(payload));
        return { inputs: predicate.inputs, paper: predicate.paper, kernels: predicate.engine.description.kernels };
      };
      assert.deepEqual(await inputs(windows), await inputs(plain));
    }),
});
