/** The action's program on two trees, with the runner's variables set to files. */
import assert from "node:assert/strict";
import { reviewPullRequest } from "../../src/pull_request/main.ts";
import { htmlOf, outsideOfCode } from "../markdown.ts";
import { withFolder } from "../temporary_folder.ts";

const V2 = decodeURIComponent(new URL("../fixtures/manifests/v2/", import.meta.url).pathname);

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copy(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

/** Two trees and what the runner reads afterwards. */
interface Job {
  readonly head: string;
  readonly base: string;
  run(changes: readonly string[], words?: readonly string[]): Promise<{
    code: number;
    summary: string;
    outputs: string;
    /** lines that the runner acts upon */
    commands: readonly string[];
  }>;
}

function withJob(use: (job: Job) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const [head, base] = [`${folder}/head`, `${folder}/base`];
    await Deno.mkdir(head);
    await Deno.mkdir(base);
    const run: Job["run"] = async (changes, words = []) => {
      const files = {
        GITHUB_WORKSPACE: head,
        GITHUB_STEP_SUMMARY: `${folder}/summary`,
        GITHUB_OUTPUT: `${folder}/out`,
      };
      await Deno.writeTextFile(files.GITHUB_STEP_SUMMARY, "");
      await Deno.writeTextFile(files.GITHUB_OUTPUT, "before=1\n");
      await Deno.writeTextFile(
        `${folder}/changes`,
        changes.map((change) => `${change[0]}\0${change.slice(2)}\0`).join(""),
      );
      const lines: string[] = [];
      const { log } = console;
      console.log = (text: string) => lines.push(...text.split("\n"));
      let code: number;
      try {
        code = await reviewPullRequest(
          ["--changes", `${folder}/changes`, "--base", base, ...words],
          (name) => files[name],
        );
      } finally {
        console.log = log;
      }
      return {
        code,
        summary: await Deno.readTextFile(files.GITHUB_STEP_SUMMARY),
        outputs: await Deno.readTextFile(files.GITHUB_OUTPUT),
        commands: commandsIn(lines),
      };
    };
    await use({ head, base, run });
  });
}

/** As the runner reads lines: between stop-commands and its token, there are no commands. */
function commandsIn(lines: readonly string[]): string[] {
  const commands: string[] = [];
  let token: string | undefined;
  for (const line of lines.map((line) => line.trim())) {
    if (token !== undefined) {
      if (line === `::${token}::`) token = undefined;
    } else if (line.startsWith("::stop-commands::")) token = line.slice("::stop-commands::".length);
    else if (line.startsWith("::") || line.includes("##[")) commands.push(line);
  }
  return commands;
}

const ALL = ["--without-checkpoints"];

Deno.test("reviewPullRequest() verifies a manifest that is added, by a key of the base branch", () =>
  withJob(async ({ head, base, run }) => {
    await copy(V2, `${head}/evidence`);
    await Deno.copyFile(`${V2}/maker.pub.pem`, `${base}/known.pem`);
    const path = "evidence/manifest.dsse.json";
    const found = await run([`A ${path}`, "A README.md"], [...ALL, "--public-key", "known.pem"]);
    assert.equal(found.code, 0, found.summary);
    assert.equal(found.outputs, "before=1\nverdict=verified\nmanifests=1\n");
    assert.deepEqual(found.commands.map((line) => line.replace(/not checked: .*/, "")), [
      `::notice file=${path},title=rewarm::Verified; `,
    ]);
    assert.match(found.commands[0] ?? "", /not checked: (report, )?timestamps, attestations, retrain$/);
    const html = htmlOf(found.summary);
    assert.match(html, /^<h2>Manifests of this pull request: verified<\/h2>/);
    assert.match(html, /against the base branch: <code>new: the base branch has none at this path<\/code>/);
    assert.match(html, /Signed by a key that you know, <code>.*known\.pem<\/code>/);
    assert.match(html, /<strong>This does not say:<\/strong>/);

    // A key that the pull request brings is nobody's.
    const own = await run([`A ${path}`], [...ALL, "--public-key", "evidence/maker.pub.pem"]);
    assert.equal(own.code, 2);
    assert.match(own.summary, /\*\*could not check\*\*: `.*base\/evidence\/maker\.pub\.pem/);
  }));

Deno.test("reviewPullRequest() fails on evidence that is changed, though the manifest is not", () =>
  withJob(async ({ head, base, run }) => {
    await copy(V2, `${head}/evidence`);
    await copy(V2, `${base}/evidence`);
    const journal = [...Deno.readDirSync(`${head}/evidence/runs`)].map(({ name }) => name)[0];
    const [file] = [...Deno.readDirSync(`${head}/evidence/runs/${journal}`)].filter(({ isFile }) => isFile);
    const changed = `evidence/runs/${journal}/${file?.name}`;
    await Deno.writeTextFile(`${head}/${changed}`, "::error::forged\n", { append: true });
    const found = await run([`M ${changed}`], ALL);
    assert.equal(found.code, 1);
    assert.match(found.outputs, /^verdict=failed$/m);
    assert.equal(found.commands.length, 1);
    assert.match(
      found.commands[0] ?? "",
      /^::error file=evidence\/manifest\.dsse\.json,title=rewarm::Failed: artefacts: /,
    );
    assert.match(found.summary, /### Failed: artefacts/);
    assert.match(found.summary, /against the base branch: `".*head\/evidence\/manifest\.dsse\.json": artefacts failed/);
  }));

Deno.test("reviewPullRequest() compares with the base branch, and says what is removed", () =>
  withJob(async ({ head, base, run }) => {
    await copy(V2, `${head}/evidence`);
    await copy(V2, `${base}/evidence`);
    const found = await run(["M evidence/plan.json", "D old.tar"], ALL);
    assert.equal(found.code, 0, found.summary);
    assert.match(found.summary, /the same bits as in the base branch, in all \d+ runs\n/);
    assert.match(found.summary, /A is the base branch, B this pull request\.\n\n### Same bits: all/);
    assert.match(
      found.summary,
      /- `old\.tar`: \*\*removed\*\*; against the base branch: `removed by this pull request`/,
    );
    assert.deepEqual(found.commands.filter((line) => line.startsWith("::warning")), [
      "::warning file=old.tar,title=rewarm::This manifest is removed",
    ]);
  }));

Deno.test("reviewPullRequest() says that there is nothing to check where no manifest is touched", () =>
  withJob(async ({ run }) => {
    for (const changes of [[], ["A src/x.ts", "D tar"]]) {
      const found = await run(changes);
      assert.deepEqual([found.code, found.commands], [0, []]);
      assert.equal(found.outputs, "before=1\nverdict=nothing to check\nmanifests=0\n");
      assert.match(found.summary, /No manifest and no bundle is added, changed or removed\./);
    }
  }));

Deno.test("reviewPullRequest() shows hostile names harmlessly, and follows no link", () =>
  withJob(async ({ head, run }) => {
    const names = [
      "x\n::error::forged\n.tar",
      "##[add-mask]y.tar",
      "<img src=x onerror=alert(1)> @ada #1.tar",
      "`@ada`,line=1::z.tar",
    ];
    for (const name of names) await Deno.writeTextFile(`${head}/${name}`, "::set-output name=verdict::verified\n");
    await Deno.symlink(`${V2}manifest.dsse.json`, `${head}/link.tar`);
    const found = await run([...names, "link.tar"].map((name) => `A ${name}`), ALL);
    assert.equal(found.code, 1);
    assert.equal(found.outputs, "before=1\nverdict=failed\nmanifests=5\n");
    assert.equal(found.commands.length, 5);
    for (const command of found.commands) assert.match(command, /^::error file=[^:,]*,title=rewarm::Failed: /);
    assert.match(found.summary, /- `link\.tar`: \*\*failed\*\*: `it is reached through a link`/);
    const outside = outsideOfCode(found.summary);
    assert.doesNotMatch(outside, /<(?!\/?(h2|h3|ul|li|p|strong)>)|@|#|forged/);
  }));

Deno.test("reviewPullRequest() refuses what leads out of the checkouts, and a runner that says nothing", () =>
  withJob(async ({ run }) => {
    await assert.rejects(run([], ["--keys", "../reviewers.yaml"]), { code: "UNSAFE_PATH" });
    await assert.rejects(run([], ["--folder", "/etc"]), { code: "UNSAFE_PATH" });
    await assert.rejects(reviewPullRequest([], () => undefined), { code: "MISSING_OPTION" });
  }));
