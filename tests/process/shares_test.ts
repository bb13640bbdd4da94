/** Shares of a retraining, each by a process and a reviewer of its own, and their sum. */
import assert from "node:assert/strict";
import { withFolder } from "../temporary_folder.ts";
import { REPRODUCE, rewarm } from "./command_line.ts";

Deno.test("two reviewers retrain a share each, and verify adds the shares up", () =>
  withFolder(async (folder) => {
    const run = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await rewarm(folder, REPRODUCE, args);
      return { code, text: stdout, errors: stderr };
    };
    const succeed = async (...args: readonly string[]) => {
      const { code, text, errors } = await run(...args);
      assert.equal(code, 0, `${args.join(" ")}: ${text}${errors}`);
      return text;
    };
    await succeed("reproduce", "--scale", "smoke", "--only", "warmup-length", "--out", "out");
    const names = ["ada", "ben"];
    for (const name of names) await succeed("keygen", "--out", `${name}.pem`);
    const list = names.map((name) => `- name: ${name}\n  keyFile: ${name}.pub.pem\n`).join("");
    await Deno.writeTextFile(`${folder}/reviewers.yaml`, `reviewers:\n${list}`);
    const demand = ["verify", "out", "--keys", "reviewers.yaml", "--require", "1", "--require-retrain", "all"];

    const segments: string[] = [];
    let total = 0;
    for (const [index, name] of names.entries()) {
      const before = await run(...demand);
      assert.equal(before.code, 1, `share ${index + 1} is still missing: ${before.text}${before.errors}`);
      const share = ["--retrain", "all", "--share", `${index + 1}/2`];
      const text = await succeed("attest", "out", "--key", `${name}.pem`, ...share);
      const [, count, of] = /retrain +ok +(\d+) of (\d+) segments retrained.*share \d\/2/.exec(text) ?? [];
      const found = [...text.matchAll(/^ +\d+\/\d+ {2}(\S+) {2}same bits: /gm)].map(([, segment]) => segment ?? "");
      assert.equal(found.length, Number(count), text);
      segments.push(...found);
      total = Number(of);
    }
    assert.equal(new Set(segments).size, total, "every segment once");
    assert.equal(segments.length, total);
    assert.match(await succeed(...demand), /attestations +ok /);
  }));
